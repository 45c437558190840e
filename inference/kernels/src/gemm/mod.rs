// SPDX-License-Identifier: MIT
//! Products of `f32` matrices, for training: any of A·B, A·Bᵀ and Aᵀ·B, by strides.
//!
//! The definition of every element, which each instruction set reproduces bit by bit: **one chain of fused
//! multiply-additions in the order of the inner index**, beginning with zero or with what the target holds. Blocks,
//! tiles and threads never split a chain, so the result depends neither on the machine nor on how rows are shared out.

mod operand;
mod pack;

pub use operand::{Operand, Target};

use crate::Kernels;
use crate::arch;

/// Inner indices that are packed at once.
const DEPTH: usize = 256;
/// Columns of B that are packed at once: with [`DEPTH`], half a megabyte.
const COLUMNS: usize = 512;
/// Most rows of A that are packed at once.
const ROWS: usize = 168;

/// Elements of scratch memory that [`Kernels::gemm`] needs.
pub const GEMM_SCRATCH: usize = DEPTH * (COLUMNS + ROWS);

/// A tile of the target: (row, column).
pub(crate) type Tile<const M: usize, const N: usize> = [[f32; N]; M];

impl Kernels {
    /// `out = a · b`, or `out += a · b` with `accumulate`. `scratch` has [`GEMM_SCRATCH`] elements.
    ///
    /// # Panics
    /// Where the shapes do not fit together, or `scratch` is too small: the caller chose them.
    pub fn gemm(
        self,
        a: Operand<'_>,
        b: Operand<'_>,
        accumulate: bool,
        out: &mut Target<'_>,
        scratch: &mut [f32],
    ) {
        assert!(a.cols == b.rows && a.rows == out.rows && b.cols == out.cols, "shapes of a product");
        if a.cols == 0 && !accumulate {
            return out.clear();
        }
        arch::gemm(self.0, a, b, accumulate, out, &mut scratch[..GEMM_SCRATCH]);
    }
}

/// Goes over the product in packed blocks and calls `tile(a, b, acc)` for each tile of `M` rows and `N` columns, where `a`
/// is (inner, M) and `b` is (inner, N), filled up with zeros.
#[inline(always)]
pub(crate) fn blocked<const M: usize, const N: usize>(
    tile: impl Fn(&[f32], &[f32], &mut Tile<M, N>),
    a: Operand<'_>,
    b: Operand<'_>,
    accumulate: bool,
    out: &mut Target<'_>,
    scratch: &mut [f32],
) {
    let (packed_b, packed_a) = scratch.split_at_mut(DEPTH * COLUMNS);
    let (columns, rows) = (COLUMNS / N * N, ROWS / M * M);
    for j in (0..b.cols).step_by(columns) {
        let width = columns.min(b.cols - j);
        for k in (0..a.cols).step_by(DEPTH) {
            let depth = DEPTH.min(a.cols - k);
            pack::panels::<N>(b.transposed().part(j, width, k, depth), packed_b);
            for i in (0..a.rows).step_by(rows) {
                let height = rows.min(a.rows - i);
                pack::panels::<M>(a.part(i, height, k, depth), packed_a);
                let mut part = out.part(i, height, j, width);
                tiles(&tile, packed_a, packed_b, depth, accumulate || k > 0, &mut part);
            }
        }
    }
}

/// All tiles of a packed block.
#[inline(always)]
fn tiles<const M: usize, const N: usize>(
    tile: &impl Fn(&[f32], &[f32], &mut Tile<M, N>),
    a: &[f32],
    b: &[f32],
    depth: usize,
    accumulate: bool,
    out: &mut Target<'_>,
) {
    for (j, b) in (0..out.cols).step_by(N).zip(b.chunks_exact(depth * N)) {
        for (i, a) in (0..out.rows).step_by(M).zip(a.chunks_exact(depth * M)) {
            let mut acc = [[0.0; N]; M];
            if accumulate {
                out.read(i, j, &mut acc);
            }
            tile(a, b, &mut acc);
            out.write(i, j, &acc);
        }
    }
}

/// The definition of a tile, and the oracle of the others.
pub(crate) fn tile_generic<const M: usize, const N: usize>(a: &[f32], b: &[f32], acc: &mut Tile<M, N>) {
    for (a, b) in a.as_chunks::<M>().0.iter().zip(b.as_chunks::<N>().0) {
        for (acc, a) in acc.iter_mut().zip(a) {
            for (acc, b) in acc.iter_mut().zip(b) {
                *acc = libm::fmaf(*a, *b, *acc);
            }
        }
    }
}
