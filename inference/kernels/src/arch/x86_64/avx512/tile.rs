// SPDX-License-Identifier: MIT
//! Products of blocks, row by row as they are computed, and their sums with one row per lane.

use core::arch::x86_64::*;

use super::ROWS;

/// What the blocks of sixteen rows contribute: (row, block), at most `N` blocks. A multiple of 4.
#[repr(C, align(64))]
pub(super) struct Tile<const N: usize>(pub(super) [[f32; N]; ROWS]);

impl<const N: usize> Tile<N> {
    pub(super) const EMPTY: Self = Self([[0.0; N]; ROWS]);

    /// Blocks `4 * group..4 * group + 4`: lane `i` of vector `j` is block `j` of row `i`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    fn columns(&self, group: usize) -> [__m512; 4] {
        let four = |row: usize| floats_4(&self.0[row].as_chunks::<4>().0[group]);
        let rows = |i: usize| {
            let v = _mm512_castps128_ps512(four(i));
            let v = _mm512_mask_broadcast_f32x4(v, 0x00f0, four(i + 4));
            let v = _mm512_mask_broadcast_f32x4(v, 0x0f00, four(i + 8));
            _mm512_mask_broadcast_f32x4(v, 0xf000, four(i + 12))
        };
        let v = [rows(0), rows(1), rows(2), rows(3)];
        let pair = |a, b| (_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(a, b)));
        let ((a, b), (c, d)) = (pair(v[0], v[1]), pair(v[2], v[3]));
        [
            _mm512_castpd_ps(_mm512_unpacklo_pd(a, c)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(a, c)),
            _mm512_castpd_ps(_mm512_unpacklo_pd(b, d)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(b, d)),
        ]
    }
}

/// Reads four floats.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn floats_4(values: &[f32; 4]) -> __m128 {
    // SAFETY: the reference covers the 16 bytes that are read.
    unsafe { _mm_loadu_ps(values.as_ptr()) }
}

/// `sum`, to which the first `blocks` of `tile` are added in order; where `MIN`, each is followed by `with(sum, min)`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn sum<const N: usize, const MIN: bool>(
    sum: __m512,
    tile: &Tile<N>,
    mins: &Tile<N>,
    blocks: usize,
    with: impl Fn(__m512, __m512) -> __m512,
) -> __m512 {
    let mut sum = sum;
    for group in 0..blocks.div_ceil(4) {
        let columns = tile.columns(group);
        let min = if MIN { mins.columns(group) } else { [_mm512_setzero_ps(); 4] };
        for i in 0..4.min(blocks - 4 * group) {
            sum = _mm512_add_ps(sum, columns[i]);
            if MIN {
                sum = with(sum, min[i]);
            }
        }
    }
    sum
}
