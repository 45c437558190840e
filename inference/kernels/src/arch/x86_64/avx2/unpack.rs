// SPDX-License-Identifier: MIT
//! Unpacking of blocks into vectors of 32 bytes, in the order of the elements: the integers of [`Block32::unpack`] and
//! [`Block256::unpack`]. The compiler makes vectors of some of those loops only.

use core::arch::x86_64::*;

use super::load;
use crate::blocks::*;
use crate::unpack::Block32;
use crate::unpack_k::Block256;

/// A block type of 32 elements as one vector.
pub(super) trait Vector32: Block32 {
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn vector(&self) -> __m256i;
}

/// A block type of 256 elements as eight vectors.
pub(super) trait Vectors256: Block256 {
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn vectors(&self, out: &mut [__m256i; 8]);
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn load_16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn load_32(bytes: &[u8; 32]) -> __m256i {
    load(zerocopy::transmute_ref!(bytes))
}

/// Bits `at..at + bits` of each byte.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn field(v: __m256i, at: i32, bits: u32) -> __m256i {
    let mask = _mm256_set1_epi8(((1i32 << bits) - 1) as i8);
    _mm256_and_si256(_mm256_srl_epi16(v, _mm_cvtsi32_si128(at)), mask)
}

/// `low | high << at`, for `high` below `256 >> at`.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn join(low: __m256i, high: __m256i, at: i32) -> __m256i {
    _mm256_or_si256(low, _mm256_sll_epi16(high, _mm_cvtsi32_si128(at)))
}

/// `v - offset`.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn minus(v: __m256i, offset: i32) -> __m256i {
    _mm256_sub_epi8(v, _mm256_set1_epi8(offset as i8))
}

/// Sixteen bytes as 32 numbers: low nibbles, then high ones.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn nibbles(qs: &[u8; 16]) -> __m256i {
    let low = load_16(qs);
    let both = _mm256_set_m128i(_mm_srli_epi16::<4>(low), low);
    _mm256_and_si256(both, _mm256_set1_epi8(15))
}

/// Bit `i` of `bits` as 16 in byte `i`.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn fifth_bits(bits: [u8; 4]) -> __m256i {
    let all = _mm256_set1_epi32(i32::from_le_bytes(bits));
    let byte_of = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let bit_of = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    let there = _mm256_and_si256(_mm256_shuffle_epi8(all, byte_of), bit_of);
    _mm256_and_si256(_mm256_cmpeq_epi8(there, bit_of), _mm256_set1_epi8(16))
}

/// The values of the IQ4 types for 32 indices.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn iq4(indices: __m256i) -> __m256i {
    let table = _mm256_broadcastsi128_si256(load_16(zerocopy::transmute_ref!(&IQ4_VALUES)));
    _mm256_shuffle_epi8(table, indices)
}

/// Implements [`Vector32`].
macro_rules! vector_32 {
    ($($kind:ident = |$block:ident| $vector:expr;)*) => {$(
        impl Vector32 for $kind {
            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            unsafe fn vector(&self) -> __m256i {
                let $block = self;
                $vector
            }
        }
    )*};
}

vector_32! {
    BlockQ8_0 = |b| load(&b.qs);
    BlockQ4_0 = |b| minus(nibbles(&b.qs), 8);
    BlockQ4_1 = |b| nibbles(&b.qs);
    BlockQ5_0 = |b| minus(_mm256_or_si256(nibbles(&b.qs), fifth_bits(b.qh)), 16);
    BlockQ5_1 = |b| _mm256_or_si256(nibbles(&b.qs), fifth_bits(b.qh));
    BlockIQ4NL = |b| iq4(nibbles(&b.qs));
}

/// Implements [`Vectors256`]: vector `i` has elements `32 * i..32 * i + 32`.
macro_rules! vectors_256 {
    ($($kind:ident = |$block:ident, $i:ident| $vector:expr;)*) => {$(
        impl Vectors256 for $kind {
            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            unsafe fn vectors(&self, out: &mut [__m256i; 8]) {
                let $block = self;
                for ($i, out) in out.iter_mut().enumerate() {
                    *out = $vector;
                }
            }
        }
    )*};
}

vectors_256! {
    BlockQ2K = |b, i| field(part(&b.qs, i / 4), 2 * (i % 4) as i32, 2);
    BlockQ3K = |b, i| {
        let high = field(load_32(&b.hmask), i as i32, 1);
        minus(join(field(part(&b.qs, i / 4), 2 * (i % 4) as i32, 2), high, 2), 4)
    };
    BlockQ4K = |b, i| field(part(&b.qs, i / 2), 4 * (i % 2) as i32, 4);
    BlockQ5K = |b, i| {
        let high = field(load_32(&b.qh), i as i32, 1);
        join(field(part(&b.qs, i / 2), 4 * (i % 2) as i32, 4), high, 4)
    };
    BlockQ6K = |b, i| {
        let low = field(part(&b.ql, i / 4 * 2 + i % 2), 4 * (i % 4 / 2) as i32, 4);
        minus(join(low, field(part(&b.qh, i / 4), 2 * (i % 4) as i32, 2), 4), 32)
    };
    BlockIQ4XS = |b, i| iq4(nibbles(&b.qs.as_chunks::<16>().0[i]));
}

/// Bytes `32 * i..32 * i + 32`.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn part(bytes: &[u8], i: usize) -> __m256i {
    load_32(&bytes.as_chunks::<32>().0[i])
}
