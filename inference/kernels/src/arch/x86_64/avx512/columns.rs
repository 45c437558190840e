// SPDX-License-Identifier: MIT
//! Unpacking of a panel: blocks of 32 elements of sixteen rows as columns of four elements.

use core::arch::x86_64::*;

use super::panel::{Rows, Scaled};
use super::{load_16, load_32, store_64, unsigned};
use crate::blocks::*;
use crate::unpack::Block32;

/// Four neighbouring elements of sixteen rows, as unsigned bytes: what one `vpdpbusd` multiplies.
pub(super) type Column = [u8; 64];

/// A block type of 32 elements as columns.
pub(super) trait Columns32: Block32 + Scaled {
    /// Column `k` has elements `4 * k..4 * k + 4` of the rows' blocks `b`, made unsigned by adding `OFFSET`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn columns(rows: &Rows<'_, Self>, b: usize, out: &mut [Column; 8]);
}

/// Transposes the 32 bytes of sixteen rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn transpose_32(row: impl Fn(usize) -> __m256i, out: &mut [Column; 8]) {
    let v: [__m512i; 8] =
        core::array::from_fn(|i| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(row(i)), row(i + 8)));
    // Dwords, then qwords, of neighbouring rows; then 128-bit lanes within each half.
    let a: [__m512i; 8] = core::array::from_fn(|i| match i % 2 {
        0 => _mm512_unpacklo_epi32(v[i], v[i + 1]),
        _ => _mm512_unpackhi_epi32(v[i - 1], v[i]),
    });
    let quad = |g: usize, j: usize| match j {
        0 => _mm512_unpacklo_epi64(a[4 * g], a[4 * g + 2]),
        1 => _mm512_unpackhi_epi64(a[4 * g], a[4 * g + 2]),
        2 => _mm512_unpacklo_epi64(a[4 * g + 1], a[4 * g + 3]),
        _ => _mm512_unpackhi_epi64(a[4 * g + 1], a[4 * g + 3]),
    };
    let order = |base: i64| {
        _mm512_setr_epi64(base, base + 1, base + 8, base + 9, base + 4, base + 5, base + 12, base + 13)
    };
    let (low, high) = (order(0), order(2));
    for j in 0..4 {
        let (first, second) = (quad(0, j), quad(1, j));
        store_64(&mut out[j], _mm512_permutex2var_epi64(first, low, second));
        store_64(&mut out[j + 4], _mm512_permutex2var_epi64(first, high, second));
    }
}

/// Nibbles of sixteen rows: columns 0..4 are lower, columns 4..8 upper nibbles; `value` makes bytes of them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn transpose_nibbles(
    qs: impl Fn(usize) -> __m128i,
    value: impl Fn(__m512i) -> __m512i,
    out: &mut [Column; 8],
) {
    let v = [0, 1, 2, 3].map(|i| super::row_32::nibbles(&qs, [i, i + 4, i + 8, i + 12]));
    let (a, b) = (_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    let (c, d) = (_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    let quads = [
        _mm512_unpacklo_epi64(a, c),
        _mm512_unpackhi_epi64(a, c),
        _mm512_unpacklo_epi64(b, d),
        _mm512_unpackhi_epi64(b, d),
    ];
    let mask = _mm512_set1_epi8(15);
    for (i, v) in quads.into_iter().enumerate() {
        store_64(&mut out[i], value(_mm512_and_si512(v, mask)));
        store_64(&mut out[i + 4], value(_mm512_and_si512(_mm512_srli_epi16::<4>(v), mask)));
    }
}

impl Columns32 for BlockQ8_0 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn columns(rows: &Rows<'_, Self>, b: usize, out: &mut [Column; 8]) {
        let flip = _mm256_set1_epi8(-128);
        transpose_32(|r| _mm256_xor_si256(load_32(unsigned(&rows.rows[r][b].qs)), flip), out);
    }
}

macro_rules! nibble_columns {
    ($($block:ty),*) => {$(
        impl Columns32 for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn columns(rows: &Rows<'_, Self>, b: usize, out: &mut [Column; 8]) {
                transpose_nibbles(|r| load_16(&rows.rows[r][b].qs), |v| v, out);
            }
        }
    )*};
}

nibble_columns!(BlockQ4_0, BlockQ4_1);

impl Columns32 for BlockIQ4NL {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn columns(rows: &Rows<'_, Self>, b: usize, out: &mut [Column; 8]) {
        let table = _mm512_broadcast_i32x4(load_16(unsigned(&IQ4_VALUES)));
        let table = _mm512_xor_si512(table, _mm512_set1_epi8(-128));
        transpose_nibbles(|r| load_16(&rows.rows[r][b].qs), |v| _mm512_shuffle_epi8(table, v), out);
    }
}

macro_rules! five_bit_columns {
    ($($block:ty),*) => {$(
        impl Columns32 for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn columns(rows: &Rows<'_, Self>, b: usize, out: &mut [Column; 8]) {
                let row = |r: usize| {
                    let block = &rows.rows[r][b];
                    let v = load_16(&block.qs);
                    let nibbles = _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16::<4>(v), v), _mm256_set1_epi8(15));
                    let fifth = _mm256_maskz_mov_epi8(u32::from_le_bytes(block.qh), _mm256_set1_epi8(16));
                    _mm256_or_si256(nibbles, fifth)
                };
                transpose_32(row, out);
            }
        }
    )*};
}

five_bit_columns!(BlockQ5_0, BlockQ5_1);
