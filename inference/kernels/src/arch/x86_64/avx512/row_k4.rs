// SPDX-License-Identifier: MIT
//! One token: Q4_K and Q5_K, four super-blocks at a time, whose scales are unpacked together.

use core::arch::x86_64::*;

use zerocopy::IntoBytes;

use super::single::{Ordered, Products, RowK};
use super::{load_16, load_32, load_64, reduce, unsigned};
use crate::blocks::*;

/// A block type whose first 16 bytes are `d`, `dmin` and eight 6-bit scales and minima.
trait BlockK4: IntoBytes + zerocopy::Immutable {
    /// Unsigned elements, 64 each of the sub-blocks 0 and 2, 1 and 3, 4 and 6, 5 and 7.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn elements(&self) -> [__m512i; 4];
}

impl BlockK4 for BlockQ4K {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn elements(&self) -> [__m512i; 4] {
        let mask = _mm512_set1_epi8(15);
        let qs = self.qs.as_chunks::<64>().0;
        let (a, c) = (load_64(&qs[0]), load_64(&qs[1]));
        let low = |v| _mm512_and_si512(v, mask);
        let high = |v| _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
        [low(a), high(a), low(c), high(c)]
    }
}

impl BlockK4 for BlockQ5K {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn elements(&self) -> [__m512i; 4] {
        let (mask, bit) = (_mm512_set1_epi8(15), _mm512_set1_epi8(16));
        let qs = self.qs.as_chunks::<64>().0;
        let (a, c) = (load_64(&qs[0]), load_64(&qs[1]));
        // Bits 0 and 2 of the lower and the upper half go with sub-blocks 0 and 2, and so on.
        let qh = _mm512_broadcast_i64x4(load_32(&self.qh));
        let two = _mm512_mask_blend_epi64(0xf0, qh, _mm512_srli_epi16::<2>(qh));
        let fifth = |v| _mm512_and_si512(v, bit);
        let low = |v, f| _mm512_or_si512(_mm512_and_si512(v, mask), fifth(f));
        let high = |v, f| _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16::<4>(v), mask), fifth(f));
        [
            low(a, _mm512_slli_epi16::<4>(two)),
            high(a, _mm512_slli_epi16::<3>(two)),
            low(c, two),
            high(c, _mm512_srli_epi16::<1>(two)),
        ]
    }
}

/// The first 16 bytes of four blocks, one per 128-bit lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn headers<B: BlockK4>(blocks: &[B; 4]) -> __m512i {
    const { assert!(size_of::<B>() >= 16) };
    let header = |i: usize| load_16(blocks[i].as_bytes().first_chunk().unwrap_or(&[0; 16]));
    super::row_32::nibbles(header, [0, 1, 2, 3])
}

/// Each 128-bit lane: eight scales, then eight minima, as bytes (`get_scale_min_k4`).
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn scales_and_minima(headers: __m512i) -> __m512i {
    let words = |a: u32, b: u32| {
        let (a, b) = (a as i32, b as i32);
        _mm512_broadcast_i32x4(_mm_setr_epi32(a, b, a, b))
    };
    let low = _mm512_shuffle_epi32::<0b11_10_11_01>(headers);
    let low = _mm512_srlv_epi32(low, _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0, 0, 4)));
    let low = _mm512_and_si512(low, words(0x3f3f_3f3f, 0x0f0f_0f0f));
    let high = _mm512_srli_epi32::<2>(_mm512_shuffle_epi32::<0b10_10_01_01>(headers));
    _mm512_or_si512(low, _mm512_and_si512(high, words(0, 0x3030_3030)))
}

/// Shuffle that makes shorts of scale bytes: `a` and `b` for the lower half of what [`_mm512_packs_epi32`] joined, `c`
/// and `d` for the upper.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn spread([a, b, c, d]: [i16; 4]) -> __m512i {
    // The upper byte of each short becomes 0: its index has the sign bit.
    let lane = |a: i16, b: i16| {
        let (a, b) = (a | i16::MIN, b | i16::MIN);
        _mm256_broadcastsi128_si256(_mm_setr_epi16(a, a, a, a, b, b, b, b))
    };
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(lane(a, b)), lane(c, d))
}

/// The products of super-block `i` of four; `scales` are those of [`scales_and_minima`].
///
/// Four products of bytes stay below 2^15, so sub-blocks are joined as shorts before they meet their scales.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots<B: BlockK4>(block: &B, x: &Ordered, scales: __m512i, i: i64) -> __m512i {
    let zero = _mm512_setzero_si512();
    // SAFETY: our caller promised the features.
    let w = unsafe { block.elements() };
    let product = |i: usize| _mm512_dpbusd_epi32(zero, w[i], x[i]);
    let scale = _mm512_permutexvar_epi64(_mm512_set1_epi64(2 * i), scales);
    let (first, second) = (spread([0, 1, 2, 3]), spread([4, 5, 6, 7]));
    let low = _mm512_packs_epi32(product(0), product(1));
    let high = _mm512_packs_epi32(product(2), product(3));
    let sum = _mm512_dpwssd_epi32(zero, low, _mm512_shuffle_epi8(scale, first));
    _mm512_dpwssd_epi32(sum, high, _mm512_shuffle_epi8(scale, second))
}

/// The products of the minima of four super-blocks with sums of 32 activations.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn minima(scales: __m512i, pairs: &[[i16; 8]; 4]) -> __m128i {
    let mins = _mm512_unpackhi_epi8(scales, _mm512_setzero_si512());
    let products = _mm512_madd_epi16(mins, load_64(zerocopy::transmute_ref!(pairs)));
    let sum = _mm512_add_epi32(products, _mm512_shuffle_epi32::<0b01_00_11_10>(products));
    let sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32::<0b10_11_00_01>(sum));
    let first = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm512_castsi512_si128(_mm512_permutexvar_epi32(first, sum))
}

/// [`RowK::four`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn four<B: BlockK4>(blocks: &[B; 4], x: &[Ordered; 4], pairs: &[[i16; 8]; 4]) -> Products {
    let headers = headers(blocks);
    let scales = scales_and_minima(headers);
    let dot = |i: usize| dots(&blocks[i], &x[i], scales, i as i64);
    let halves = _mm512_castsi128_si512(_mm_setr_epi16(0, 8, 16, 24, 1, 9, 17, 25));
    let halves = _mm512_castsi512_si128(_mm512_permutexvar_epi16(halves, headers));
    Products {
        dots: reduce::across_4([dot(0), dot(1), dot(2), dot(3)]),
        d: _mm_cvtph_ps(halves),
        mins: minima(scales, pairs),
        dmin: _mm_cvtph_ps(_mm_srli_si128::<8>(halves)),
    }
}

macro_rules! row_k4 {
    ($($block:ty),*) => {$(
        impl RowK for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn order(q: &[i8; 256]) -> Ordered {
                let q = unsigned(q).as_chunks::<32>().0;
                let join = |a: usize, c: usize| {
                    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(load_32(&q[a])), load_32(&q[c]))
                };
                [join(0, 2), join(1, 3), join(4, 6), join(5, 7)]
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn four(
                blocks: &[Self; 4],
                x: &[Ordered; 4],
                _: &[[i16; 16]; 4],
                pairs: &[[i16; 8]; 4],
            ) -> Products {
                four(blocks, x, pairs)
            }
        }
    )*};
}

row_k4!(BlockQ4K, BlockQ5K);
