// SPDX-License-Identifier: MIT
//! One token: blocks of 32 elements, eight at a time. Two blocks share a register where elements are bytes, four where
//! they are nibbles.

use core::arch::x86_64::*;

use super::single::Row32;
use super::{load_16, load_32, load_64, reduce, unsigned};
use crate::blocks::*;

/// Products of bytes, two blocks per register: `bytes(i)` are blocks `2 * i` and `2 * i + 1`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_of_pairs(q: &[i8; 256], bytes: impl Fn(usize) -> __m512i) -> __m256i {
    let q = unsigned(q).as_chunks::<64>().0;
    let product = |i: usize| _mm512_dpbusd_epi32(_mm512_setzero_si512(), bytes(i), load_64(&q[i]));
    let sums = reduce::four([product(0), product(1), product(2), product(3)]);
    // Blocks 0, 2, 4, 6, then 1, 3, 5, 7.
    let sums = _mm512_castsi512_si256(reduce::halves(sums, sums));
    _mm256_permutevar8x32_epi32(sums, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}

impl Row32 for BlockQ8_0 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(blocks: &[Self; 8], q: &[i8; 256]) -> __m256i {
        // Half registers: nothing has to be joined, and shuffles, of which the reduction needs many, take half the time.
        let (flip, zero) = (_mm256_set1_epi8(-128), _mm256_setzero_si256());
        let q = unsigned(q).as_chunks::<32>().0;
        let product = |i: usize| {
            let row = _mm256_xor_si256(load_32(unsigned(&blocks[i].qs)), flip);
            _mm256_dpbusd_epi32(zero, row, load_32(&q[i]))
        };
        let low = [product(0), product(1), product(2), product(3)];
        reduce::across_8(low, [product(4), product(5), product(6), product(7)])
    }
}

/// Nibbles of four rows or blocks per register, 16 bytes each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn nibbles(qs: impl Fn(usize) -> __m128i, i: [usize; 4]) -> __m512i {
    let v = _mm512_castsi128_si512(qs(i[0]));
    let v = _mm512_mask_broadcast_i32x4(v, 0x00f0, qs(i[1]));
    let v = _mm512_mask_broadcast_i32x4(v, 0x0f00, qs(i[2]));
    _mm512_mask_broadcast_i32x4(v, 0xf000, qs(i[3]))
}

/// Products of 4-bit blocks; `value` turns indices 0..16 into unsigned bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_of_nibbles(
    q: &[i8; 256],
    qs: impl Fn(usize) -> __m128i,
    value: impl Fn(__m512i) -> __m512i,
) -> __m256i {
    let q = unsigned(q).as_chunks::<64>().0;
    let mask = _mm512_set1_epi8(15);
    let (first, second) =
        (_mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13), _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15));
    let product = |i: usize| {
        let v = nibbles(&qs, [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3]);
        let (a, b) = (load_64(&q[2 * i]), load_64(&q[2 * i + 1]));
        let (low, high) = (_mm512_permutex2var_epi64(a, first, b), _mm512_permutex2var_epi64(a, second, b));
        let sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), value(_mm512_and_si512(v, mask)), low);
        let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
        _mm512_dpbusd_epi32(sum, value(upper), high)
    };
    reduce::within_lanes(product(0), product(1))
}

macro_rules! four_bits {
    ($($block:ty),*) => {$(
        impl Row32 for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn dots(blocks: &[Self; 8], q: &[i8; 256]) -> __m256i {
                dots_of_nibbles(q, |i| load_16(&blocks[i].qs), |v| v)
            }
        }
    )*};
}

four_bits!(BlockQ4_0, BlockQ4_1);

impl Row32 for BlockIQ4NL {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(blocks: &[Self; 8], q: &[i8; 256]) -> __m256i {
        let table = _mm512_broadcast_i32x4(load_16(unsigned(&IQ4_VALUES)));
        let table = _mm512_xor_si512(table, _mm512_set1_epi8(-128));
        dots_of_nibbles(q, |i| load_16(&blocks[i].qs), |v| _mm512_shuffle_epi8(table, v))
    }
}

/// The fifth bits of two blocks, each in bit 4 of its element's byte.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn fifth(low: [u8; 4], high: [u8; 4]) -> __m512i {
    let bits = u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << 32;
    _mm512_maskz_mov_epi8(bits, _mm512_set1_epi8(16))
}

/// Elements of two blocks' nibbles in order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn ordered(low: &[u8; 16], high: &[u8; 16]) -> __m512i {
    let v = _mm512_castsi128_si512(load_16(low));
    let v = _mm512_mask_broadcast_i32x4(v, 0x00f0, load_16(low));
    let v = _mm512_mask_broadcast_i32x4(v, 0xff00, load_16(high));
    // Upper nibbles of what is in odd lanes.
    let shifts = _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4);
    _mm512_and_si512(_mm512_srlv_epi64(v, shifts), _mm512_set1_epi8(15))
}

macro_rules! five_bits {
    ($($block:ty),*) => {$(
        impl Row32 for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn dots(blocks: &[Self; 8], q: &[i8; 256]) -> __m256i {
                dots_of_pairs(q, |i| {
                    let (low, high) = (&blocks[2 * i], &blocks[2 * i + 1]);
                    _mm512_or_si512(ordered(&low.qs, &high.qs), fifth(low.qh, high.qh))
                })
            }
        }
    )*};
}

five_bits!(BlockQ5_0, BlockQ5_1);
