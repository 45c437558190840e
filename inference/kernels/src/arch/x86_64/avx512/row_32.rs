// SPDX-License-Identifier: MIT
//! One token: blocks of 32 elements. Two rows share a register where elements are bytes, four where they are nibbles.

use core::arch::x86_64::*;

use super::panel::Rows;
use super::single::Row32;
use super::{ROWS, load_16, load_32, reduce, unsigned};
use crate::blocks::*;
use crate::unpack::Block32;

/// `q` in both halves.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn twice(q: &[i8; 32]) -> __m512i {
    _mm512_broadcast_i64x4(load_32(unsigned(q)))
}

/// Products of bytes from two rows per register: rows `i` and `i + 4` of each group of eight.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_of_pairs(q: &[i8; 32], offset: i32, sum: i32, bytes: impl Fn(usize) -> __m512i) -> __m512i {
    let q = twice(q);
    let product = |i: usize| _mm512_dpbusd_epi32(_mm512_setzero_si512(), bytes(i), q);
    let low = reduce::four([product(0), product(1), product(2), product(3)]);
    let high = reduce::four([product(8), product(9), product(10), product(11)]);
    _mm512_sub_epi32(reduce::halves(low, high), _mm512_set1_epi32(offset * sum))
}

impl Row32 for BlockQ8_0 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], sum: i32) -> __m512i {
        let flip = _mm512_set1_epi8(-128);
        dots_of_pairs(q, 128, sum, |i| {
            let (low, high) =
                (load_32(unsigned(&rows.rows[i][b].qs)), load_32(unsigned(&rows.rows[i + 4][b].qs)));
            _mm512_xor_si512(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high), flip)
        })
    }
}

/// Nibbles of four rows per register, 16 bytes each: rows `i`, `i + 4`, `i + 8`, `i + 12`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn nibbles(qs: impl Fn(usize) -> __m128i, i: usize) -> __m512i {
    let v = _mm512_castsi128_si512(qs(i));
    let v = _mm512_mask_broadcast_i32x4(v, 0x00f0, qs(i + 4));
    let v = _mm512_mask_broadcast_i32x4(v, 0x0f00, qs(i + 8));
    _mm512_mask_broadcast_i32x4(v, 0xf000, qs(i + 12))
}

/// Products of 4-bit blocks; `value` turns indices 0..16 into unsigned bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_of_nibbles(
    q: &[i8; 32],
    start: i32,
    qs: impl Fn(usize) -> __m128i,
    value: impl Fn(__m512i) -> __m512i,
) -> __m512i {
    let q = unsigned(q).as_chunks::<16>().0;
    let (low, high) = (_mm512_broadcast_i32x4(load_16(&q[0])), _mm512_broadcast_i32x4(load_16(&q[1])));
    let mask = _mm512_set1_epi8(15);
    let product = |i| {
        let v = nibbles(&qs, i);
        let sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), value(_mm512_and_si512(v, mask)), low);
        let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
        _mm512_dpbusd_epi32(sum, value(upper), high)
    };
    let dots = reduce::four([product(0), product(1), product(2), product(3)]);
    _mm512_add_epi32(dots, _mm512_set1_epi32(start))
}

impl Row32 for BlockQ4_0 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], sum: i32) -> __m512i {
        dots_of_nibbles(q, -8 * sum, |i| load_16(&rows.rows[i][b].qs), |v| v)
    }
}

impl Row32 for BlockQ4_1 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], _: i32) -> __m512i {
        dots_of_nibbles(q, 0, |i| load_16(&rows.rows[i][b].qs), |v| v)
    }
}

impl Row32 for BlockIQ4NL {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], sum: i32) -> __m512i {
        let table = _mm512_broadcast_i32x4(load_16(unsigned(&IQ4_VALUES)));
        let table = _mm512_xor_si512(table, _mm512_set1_epi8(-128));
        let value = |v| _mm512_shuffle_epi8(table, v);
        dots_of_nibbles(q, -128 * sum, |i| load_16(&rows.rows[i][b].qs), value)
    }
}

/// The fifth bits of two rows, each in bit 4 of its element's byte.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn fifth(low: [u8; 4], high: [u8; 4]) -> __m512i {
    let bits = u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << 32;
    _mm512_maskz_mov_epi8(bits, _mm512_set1_epi8(16))
}

/// Elements of two rows' nibbles in order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn ordered(low: &[u8; 16], high: &[u8; 16]) -> __m512i {
    let spread = |qs: &[u8; 16]| {
        let v = load_16(qs);
        _mm256_set_m128i(_mm_srli_epi16::<4>(v), v)
    };
    let both = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(spread(low)), spread(high));
    _mm512_and_si512(both, _mm512_set1_epi8(15))
}

impl Row32 for BlockQ5_0 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], sum: i32) -> __m512i {
        dots_of_pairs(q, Self::OFFSET, sum, |i| {
            let (low, high) = (&rows.rows[i][b], &rows.rows[i + 4][b]);
            _mm512_or_si512(ordered(&low.qs, &high.qs), fifth(low.qh, high.qh))
        })
    }
}

impl Row32 for BlockQ5_1 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], sum: i32) -> __m512i {
        dots_of_pairs(q, Self::OFFSET, sum, |i| {
            let (low, high) = (&rows.rows[i][b], &rows.rows[i + 4][b]);
            _mm512_or_si512(ordered(&low.qs, &high.qs), fifth(low.qh, high.qh))
        })
    }
}

const _: () = assert!(ROWS == 16);
