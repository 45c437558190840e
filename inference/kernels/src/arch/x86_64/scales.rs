// SPDX-License-Identifier: MIT
//! Scales of neighbouring blocks.

use core::arch::x86_64::*;

use crate::blocks::*;

/// Scales of a block as halves. Gathering them with loads of 16 bits is much cheaper than the gather instruction.
pub(in crate::arch::x86_64) trait Scaled: Copy {
    /// `d`.
    fn scale(&self) -> i16;

    /// `m` or `dmin`; 0 where there is none.
    #[inline(always)]
    fn minimum(&self) -> i16 {
        0
    }
}

/// Four halves as one number: integer units put them together while the vector units, which are short of shuffles, work.
#[inline(always)]
fn four(h: impl Fn(usize) -> i16) -> i64 {
    let part = |i: usize| i64::from(h(i) as u16) << (16 * i);
    part(0) | part(1) | part(2) | part(3)
}

/// Eight halves as floats.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(in crate::arch::x86_64) fn halves_8(h: impl Fn(usize) -> i16) -> __m256 {
    _mm256_cvtph_ps(_mm_set_epi64x(four(|i| h(i + 4)), four(&h)))
}

/// Four halves as floats.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(in crate::arch::x86_64) fn halves_4(h: impl Fn(usize) -> i16) -> __m128 {
    _mm_cvtph_ps(_mm_cvtsi64_si128(four(h)))
}

macro_rules! scaled {
    ($($block:ty: $d:ident $($min:ident)?),* $(,)?) => {$(
        impl Scaled for $block {
            #[inline(always)]
            fn scale(&self) -> i16 {
                i16::from_le_bytes(self.$d.0)
            }
            $(
                #[inline(always)]
                fn minimum(&self) -> i16 {
                    i16::from_le_bytes(self.$min.0)
                }
            )?
        }
    )*};
}

scaled! {
    BlockQ8_0: d, BlockQ4_0: d, BlockQ4_1: d m, BlockQ5_0: d, BlockQ5_1: d m, BlockIQ4NL: d, BlockQ2K: d dmin,
    BlockQ3K: d, BlockQ4K: d dmin, BlockQ5K: d dmin, BlockQ6K: d, BlockIQ4XS: d,
}
