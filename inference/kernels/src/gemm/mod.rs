// SPDX-License-Identifier: MIT
//! Products of `f32` matrices, for training: any of A·B, A·Bᵀ and Aᵀ·B, by strides.
//!
//! The definition of every element, which each instruction set reproduces bit by bit: **one chain of fused
//! multiply-additions in the order of the inner index**, beginning with zero or with what the target holds. Blocks,
//! tiles and threads never split a chain, so the result depends neither on the machine nor on how rows are shared out.

mod operand;
pub(crate) mod pack;

pub use operand::{Operand, Target};

use crate::Kernels;
use crate::arch;

/// Inner indices that are packed at once.
const DEPTH: usize = 256;
/// Columns of B that are packed at once: with [`DEPTH`], half a megabyte.
const COLUMNS: usize = 512;
/// Most rows of A that are packed at once.
const ROWS: usize = 192;

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

    /// Whether [`Kernels::gemm_bf16`] computes in 16 bits here.
    #[must_use]
    pub fn has_bf16(self) -> bool {
        self.1
    }

    /// As [`Kernels::gemm`], with both operands rounded to BF16 and sums in `f32`: about twice as fast where
    /// [`Kernels::has_bf16`], exactly [`Kernels::gemm`] elsewhere. So results differ between machines.
    ///
    /// # Panics
    /// As [`Kernels::gemm`].
    pub fn gemm_bf16(
        self,
        a: Operand<'_>,
        b: Operand<'_>,
        accumulate: bool,
        out: &mut Target<'_>,
        scratch: &mut [f32],
    ) {
        if !self.1 || a.cols == 0 {
            return self.gemm(a, b, accumulate, out, scratch);
        }
        assert!(a.cols == b.rows && a.rows == out.rows && b.cols == out.cols, "shapes of a product");
        arch::gemm_bf16(a, b, accumulate, out, &mut scratch[..GEMM_SCRATCH]);
    }
}

/// How an instruction set works: tiles of `M` rows and `N` columns, from panels of `W` and `N` elements per inner index.
pub(crate) trait Unit<const M: usize, const W: usize, const N: usize> {
    /// Adds the product of a panel of A, (inner, `W`) with `M` rows in it, and one of B, (inner, `N`), to `acc`.
    fn tile(a: &[f32], b: &[f32], acc: &mut Tile<M, N>);

    /// Inner indices that share an element of a panel.
    const SHARED: usize = 1;

    /// Packs `height` (at most `M`) rows of A, from `first` on, into a panel.
    fn pack_a(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
        pack::panel::<W>(block, first, height, panel);
    }

    /// Packs `height` (at most `N`) rows of the transposed B into a panel.
    fn pack_b(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
        pack::panel::<N>(block, first, height, panel);
    }
}

/// Goes over the product in packed blocks.
pub(crate) fn blocked<U: Unit<M, W, N>, const M: usize, const W: usize, const N: usize>(
    a: Operand<'_>,
    b: Operand<'_>,
    accumulate: bool,
    out: &mut Target<'_>,
    scratch: &mut [f32],
) {
    let (packed_b, packed_a) = scratch.split_at_mut(DEPTH * COLUMNS);
    let (columns, rows) = (COLUMNS / N * N, ROWS / W * M);
    for j in (0..b.cols).step_by(columns) {
        let width = columns.min(b.cols - j);
        for k in (0..a.cols).step_by(DEPTH) {
            let depth = DEPTH.min(a.cols - k);
            let inner = depth.div_ceil(U::SHARED);
            pack::panels(b.transposed().part(j, width, k, depth), N, inner * N, packed_b, U::pack_b);
            for i in (0..a.rows).step_by(rows) {
                let height = rows.min(a.rows - i);
                pack::panels(a.part(i, height, k, depth), M, inner * W, packed_a, U::pack_a);
                let mut part = out.part(i, height, j, width);
                tiles::<U, M, W, N>(packed_a, packed_b, inner, accumulate || k > 0, &mut part);
            }
        }
    }
}

/// All tiles of a packed block, whose panels have `depth` elements per row or column.
fn tiles<U: Unit<M, W, N>, const M: usize, const W: usize, const N: usize>(
    a: &[f32],
    b: &[f32],
    depth: usize,
    accumulate: bool,
    out: &mut Target<'_>,
) {
    for (j, b) in (0..out.cols).step_by(N).zip(b.chunks_exact(depth * N)) {
        for (i, a) in (0..out.rows).step_by(M).zip(a.chunks_exact(depth * W)) {
            let mut acc = [[0.0; N]; M];
            if accumulate {
                out.read(i, j, &mut acc);
            }
            U::tile(a, b, &mut acc);
            out.write(i, j, &acc);
        }
    }
}

/// The scalar definition, and the oracle of the others.
pub(crate) struct Generic;

impl Unit<4, 4, 8> for Generic {
    fn tile(a: &[f32], b: &[f32], acc: &mut Tile<4, 8>) {
        tile_generic(a, b, acc);
    }
}

/// The definition of a tile.
fn tile_generic<const M: usize, const N: usize>(a: &[f32], b: &[f32], acc: &mut Tile<M, N>) {
    for (a, b) in a.as_chunks::<M>().0.iter().zip(b.as_chunks::<N>().0) {
        for (acc, a) in acc.iter_mut().zip(a) {
            for (acc, b) in acc.iter_mut().zip(b) {
                *acc = libm::fmaf(*a, *b, *acc);
            }
        }
    }
}
