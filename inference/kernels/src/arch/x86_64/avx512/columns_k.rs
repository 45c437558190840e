// SPDX-License-Identifier: MIT
//! Unpacking of a panel: super-blocks of sixteen rows as columns of four elements, and their scales.

use core::arch::x86_64::*;

use super::columns::Column;
use super::panel::{Rows, Scaled};
use super::{ROWS, load_64, store_64, unsigned};
use crate::blocks::*;
use crate::unpack_k::Block256;

/// A super-block of sixteen rows. The last index of each array is the row.
#[repr(C, align(64))]
pub(super) struct PanelK {
    pub(super) columns: [Column; 64],
    /// Of sub-blocks of 16 or 32 elements.
    pub(super) scale: [[i32; ROWS]; 16],
    /// Minima of sub-blocks `2 * j` and `2 * j + 1` (of 16 elements), as halves of 32 bits.
    pub(super) min: [[i32; ROWS]; 8],
}

impl PanelK {
    pub(super) const EMPTY: Self =
        Self { columns: [[0; 64]; 64], scale: [[0; ROWS]; 16], min: [[0; ROWS]; 8] };
}

/// A super-block type as columns.
pub(super) trait ColumnsK: Block256 + Scaled {
    /// Elements of a sub-block.
    const SUB: usize;

    /// Fills `panel` with the rows' super-blocks `b`; elements are made unsigned by adding `OFFSET`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn fill(rows: &Rows<'_, Self>, b: usize, panel: &mut PanelK);
}

/// Transposes sixteen rows of sixteen dwords.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn transpose(row: impl Fn(usize) -> __m512i) -> [__m512i; 16] {
    let quads = |i: usize| {
        let (r0, r1, r2, r3) = (row(i), row(i + 1), row(i + 2), row(i + 3));
        let (a, b) = (_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
        let (c, d) = (_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
        [
            _mm512_unpacklo_epi64(a, c),
            _mm512_unpackhi_epi64(a, c),
            _mm512_unpacklo_epi64(b, d),
            _mm512_unpackhi_epi64(b, d),
        ]
    };
    let q = [quads(0), quads(4), quads(8), quads(12)];
    let mut out = [_mm512_setzero_si512(); 16];
    for j in 0..4 {
        // Lane l of q[g][j] holds dword 4 * l + j of rows 4 * g..4 * g + 4.
        let (a, b) = (q[0][j], q[1][j]);
        let (c, d) = (q[2][j], q[3][j]);
        let (ab0, ab1) = (_mm512_shuffle_i32x4::<0x44>(a, b), _mm512_shuffle_i32x4::<0xee>(a, b));
        let (cd0, cd1) = (_mm512_shuffle_i32x4::<0x44>(c, d), _mm512_shuffle_i32x4::<0xee>(c, d));
        out[j] = _mm512_shuffle_i32x4::<0x88>(ab0, cd0);
        out[4 + j] = _mm512_shuffle_i32x4::<0xdd>(ab0, cd0);
        out[8 + j] = _mm512_shuffle_i32x4::<0x88>(ab1, cd1);
        out[12 + j] = _mm512_shuffle_i32x4::<0xdd>(ab1, cd1);
    }
    out
}

/// The scales and minima of Q4_K and Q5_K of sixteen rows: bytes `j` of the first and the second vector are the scales
/// of sub-blocks `j` and `4 + j`; the third and fourth are minima.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn scales_k4<B: Scaled>(rows: &Rows<'_, B>, b: usize) -> [__m512i; 4] {
    let (s0, s1, s2) = (rows.gather(b, 4), rows.gather(b, 8), rows.gather(b, 12));
    let (six, four, two) =
        (_mm512_set1_epi32(0x3f3f_3f3f), _mm512_set1_epi32(0x0f0f_0f0f), _mm512_set1_epi32(0x0303_0303));
    let upper = |s| _mm512_slli_epi32::<4>(_mm512_and_si512(_mm512_srli_epi32::<6>(s), two));
    let low = |s| _mm512_and_si512(s, four);
    [
        _mm512_and_si512(s0, six),
        _mm512_or_si512(low(s2), upper(s0)),
        _mm512_and_si512(s1, six),
        _mm512_or_si512(low(_mm512_srli_epi32::<4>(s2)), upper(s1)),
    ]
}

/// Scales and minima of Q4_K and Q5_K.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn fill_scales_k4<B: Scaled>(rows: &Rows<'_, B>, b: usize, panel: &mut PanelK) {
    let [low, high, min_low, min_high] = scales_k4(rows, b);
    let byte = _mm512_set1_epi32(0xff);
    let store = |to: &mut [i32; ROWS], v| store_64(zerocopy::transmute_mut!(to), v);
    for (j, (scale, min)) in [(low, min_low), (high, min_high)].into_iter().enumerate() {
        let shifted = |v, n| _mm512_and_si512(_mm512_srlv_epi32(v, _mm512_set1_epi32(n)), byte);
        for i in 0..4 {
            store(&mut panel.scale[4 * j + i], shifted(scale, 8 * i as i32));
            // Both halves of the sums' pair belong to the same sub-block of 32.
            let one = shifted(min, 8 * i as i32);
            store(&mut panel.min[4 * j + i], _mm512_or_si512(one, _mm512_slli_epi32::<16>(one)));
        }
    }
}

impl ColumnsK for BlockQ4K {
    const SUB: usize = 32;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn fill(rows: &Rows<'_, Self>, b: usize, panel: &mut PanelK) {
        let mask = _mm512_set1_epi8(15);
        for half in 0..2 {
            let dwords = transpose(|r| load_64(&rows.rows[r][b].qs.as_chunks::<64>().0[half]));
            for (i, v) in dwords.into_iter().enumerate() {
                // Eight dwords of lower nibbles make a sub-block, their upper nibbles the next.
                let at = 32 * half + 16 * (i / 8) + i % 8;
                store_64(&mut panel.columns[at], _mm512_and_si512(v, mask));
                store_64(&mut panel.columns[at + 8], _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask));
            }
        }
        fill_scales_k4(rows, b, panel);
    }
}

impl ColumnsK for BlockQ6K {
    const SUB: usize = 16;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn fill(rows: &Rows<'_, Self>, b: usize, panel: &mut PanelK) {
        let (mask, bits) = (_mm512_set1_epi8(15), _mm512_set1_epi8(0x30));
        let qh = transpose(|r| load_64(&rows.rows[r][b].qh));
        for half in 0..2 {
            let ql = transpose(|r| load_64(&rows.rows[r][b].ql.as_chunks::<64>().0[half]));
            for (i, v) in ql.into_iter().enumerate() {
                let h = qh[8 * half + i % 8];
                let (low, high) = if i < 8 {
                    (_mm512_slli_epi16::<4>(h), h)
                } else {
                    (_mm512_slli_epi16::<2>(h), _mm512_srli_epi16::<2>(h))
                };
                let lower = _mm512_or_si512(_mm512_and_si512(v, mask), _mm512_and_si512(low, bits));
                let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
                store_64(&mut panel.columns[32 * half + i], lower);
                store_64(
                    &mut panel.columns[32 * half + 16 + i],
                    _mm512_or_si512(upper, _mm512_and_si512(high, bits)),
                );
            }
        }
        for word in 0..4 {
            let four = rows.gather(b, 192 + 4 * word);
            for i in 0..4 {
                let left = _mm512_sllv_epi32(four, _mm512_set1_epi32(24 - 8 * i as i32));
                store_64(
                    zerocopy::transmute_mut!(&mut panel.scale[4 * word + i]),
                    _mm512_srai_epi32::<24>(left),
                );
            }
        }
    }
}

/// Columns of any type, by its scalar definition.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn fill_columns<B: ColumnsK>(rows: &Rows<'_, B>, b: usize, panel: &mut PanelK) {
    let mut bytes = [[0i8; 256]; ROWS];
    for r in 0..ROWS {
        rows.rows[r][b].unpack(&mut bytes[r]);
    }
    let offset = _mm512_set1_epi8(B::OFFSET as u8 as i8);
    for part in 0..4 {
        let row = |r: usize| _mm512_add_epi8(load_64(&unsigned(&bytes[r]).as_chunks::<64>().0[part]), offset);
        for (i, v) in transpose(row).into_iter().enumerate() {
            store_64(&mut panel.columns[16 * part + i], v);
        }
    }
}

impl ColumnsK for BlockQ5K {
    const SUB: usize = 32;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn fill(rows: &Rows<'_, Self>, b: usize, panel: &mut PanelK) {
        fill_columns(rows, b, panel);
        fill_scales_k4(rows, b, panel);
    }
}

macro_rules! by_definition {
    ($($block:ty: $sub:literal),*) => {$(
        impl ColumnsK for $block {
            const SUB: usize = $sub;

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn fill(rows: &Rows<'_, Self>, b: usize, panel: &mut PanelK) {
                fill_columns(rows, b, panel);
                for r in 0..ROWS {
                    let sub = rows.rows[r][b].scales();
                    for j in 0..256 / $sub {
                        panel.scale[j][r] = i32::from(sub.scale[j * $sub / 16]);
                    }
                    for j in 0..8 {
                        panel.min[j][r] = i32::from(sub.min[2 * j]) | i32::from(sub.min[2 * j + 1]) << 16;
                    }
                }
            }
        }
    )*};
}

by_definition!(BlockQ2K: 16, BlockQ3K: 16, BlockIQ4XS: 32);
