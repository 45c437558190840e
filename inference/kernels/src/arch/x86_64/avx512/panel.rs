// SPDX-License-Identifier: MIT
//! Sixteen neighbouring rows of a matrix, and the scales of their blocks.

use core::arch::x86_64::*;

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::ROWS;
use crate::blocks::*;
use crate::dequantize::blocks_of;
use crate::matmul::Matrix;

/// Where the scales of a block are: in the four bytes from `AT` on.
pub(super) trait Scaled: FromBytes + Immutable + KnownLayout + Unaligned + Copy {
    const AT: usize;
    /// `d` is the upper half of the four bytes; otherwise the lower, and the upper is `m` or `dmin` if there is one.
    const UPPER: bool = false;
}

macro_rules! scaled {
    ($($block:ty: $at:literal $upper:literal),* $(,)?) => {$(
        impl Scaled for $block {
            const AT: usize = $at;
            const UPPER: bool = $upper;
        }
        const _: () = assert!($at + 4 <= size_of::<$block>());
    )*};
}

scaled! {
    BlockQ8_0: 0 false, BlockQ4_0: 0 false, BlockQ4_1: 0 false, BlockQ5_0: 0 false, BlockQ5_1: 0 false,
    BlockIQ4NL: 0 false, BlockQ2K: 80 false, BlockQ3K: 106 true, BlockQ4K: 0 false, BlockQ5K: 0 false,
    BlockQ6K: 206 true, BlockIQ4XS: 0 false,
}

/// Rows `first..first + 16` of a matrix; rows that are missing repeat the last one.
pub(super) struct Rows<'m, B> {
    pub(super) rows: [&'m [B]; ROWS],
    /// Distance of each row's first byte from that of row 0.
    offsets: __m512i,
    /// Blocks in each row.
    pub(super) blocks: usize,
}

impl<'m, B: Scaled> Rows<'m, B> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub(super) fn new(matrix: &Matrix<'m>, first: usize) -> Self {
        let index = |i: usize| (first + i).min(matrix.rows() - 1);
        let rows: [&'m [B]; ROWS] = core::array::from_fn(|i| blocks_of(matrix.row(index(i))));
        let blocks = rows[0].len();
        let distance: [i32; ROWS] =
            core::array::from_fn(|i| ((index(i) - first) * size_of::<B>() * blocks) as i32);
        // A gather's offsets are 32 bits: sixteen rows of 2^31 columns at 32 bytes per 32 would not fit.
        assert!(
            rows.iter().all(|r| r.len() == blocks) && blocks < i32::MAX as usize / (ROWS * size_of::<B>())
        );
        Self { rows, offsets: super::integers(&distance), blocks }
    }

    /// Four bytes of each row's block `b`, from `at` on.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub(super) fn gather(&self, b: usize, at: usize) -> __m512i {
        assert!(b < self.blocks && at + 4 <= size_of::<B>());
        // SAFETY: lane i reads at `rows[i][b]` + `at`: `offsets` are the distances of rows of one matrix, all of which
        // have `blocks` blocks, and the four bytes lie within the block by the assertion.
        unsafe {
            let base = self.rows[0].as_ptr().add(b).cast::<u8>().add(at);
            _mm512_i32gather_epi32::<1>(self.offsets, base.cast())
        }
    }

    /// Asks for the `b`-th part of the next panel, which lies behind this one in memory. Sixteen rows at once look like
    /// no pattern to the hardware's own prefetching; the panel as a whole is one stream.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub(super) fn prefetch_next(&self, b: usize) {
        let part = ROWS * size_of::<B>();
        let start = self.rows[0].as_ptr().cast::<i8>().wrapping_add((self.blocks + b) * part);
        for line in (0..part).step_by(64) {
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line));
        }
    }

    /// The two halves at `B::AT` of each row's block: `d` and, where there is one, `m` or `dmin`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub(super) fn scales(&self, b: usize) -> (__m512, __m512) {
        let both = self.gather(b, B::AT);
        let low = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(both));
        let high = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(both)));
        if B::UPPER { (high, low) } else { (low, high) }
    }
}
