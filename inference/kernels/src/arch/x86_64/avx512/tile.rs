// SPDX-License-Identifier: MIT
//! Products of blocks in the order in which they stand in the file, and their sums with one row per lane.

use core::arch::x86_64::*;

use super::ROWS;

/// What the blocks of sixteen rows contribute: (row, block), without gaps; `N` numbers, of which the last three are
/// never meant.
#[repr(C, align(64))]
pub(super) struct Tile<const N: usize>(pub(super) [f32; N]);

impl<const N: usize> Tile<N> {
    pub(super) const EMPTY: Self = Self([0.0; N]);

    /// Lane `i` of vector `j` is block `first + j` of row `i`, where rows have `blocks` blocks.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    fn columns(&self, blocks: usize, first: usize) -> [__m512; 4] {
        assert!((ROWS - 1) * blocks + first + 4 <= N);
        // SAFETY: the furthest four numbers, those of the last row, lie within the tile by the assertion.
        let four = |row: usize| unsafe { _mm_loadu_ps(self.0.as_ptr().add(row * blocks + first)) };
        let rows = |i: usize| {
            let v = _mm512_castps128_ps512(four(i));
            let v = _mm512_mask_broadcast_f32x4(v, 0x00f0, four(i + 4));
            let v = _mm512_mask_broadcast_f32x4(v, 0x0f00, four(i + 8));
            _mm512_mask_broadcast_f32x4(v, 0xf000, four(i + 12))
        };
        let v = [rows(0), rows(1), rows(2), rows(3)];
        let pair =
            |a, b| (_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(a, b)));
        let ((a, b), (c, d)) = (pair(v[0], v[1]), pair(v[2], v[3]));
        [
            _mm512_castpd_ps(_mm512_unpacklo_pd(a, c)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(a, c)),
            _mm512_castpd_ps(_mm512_unpacklo_pd(b, d)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(b, d)),
        ]
    }
}

/// `sum`, to which the `blocks` of each row of `tile` are added in order; where `MIN`, each is followed by
/// `with(sum, min)`.
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
    for first in (0..blocks).step_by(4) {
        let columns = tile.columns(blocks, first);
        let min = if MIN { mins.columns(blocks, first) } else { [_mm512_setzero_ps(); 4] };
        let here = blocks - first;
        for i in 0..4 {
            if i < here {
                sum = _mm512_add_ps(sum, columns[i]);
                if MIN {
                    sum = with(sum, min[i]);
                }
            }
        }
    }
    sum
}
