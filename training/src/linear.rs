// SPDX-License-Identifier: MIT
//! A matrix product with its derivative: dense or packed weights, frozen or learning, with or without an adapter.

use alloc::vec::Vec;

use inference_kernels::{GEMM_SCRATCH, Kernels, Matrix, Operand, Target};

use crate::TrainError;
use crate::memory::zeros;

/// Elements of a packed matrix that are unpacked at a time.
const UNPACKED: usize = 1 << 18;

/// Where weights lie.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// (row, column), as numbers.
    Dense(&'a [f32]),
    /// As they stand in a file, of any type; unpacked piece by piece when they are used.
    Packed(Matrix<'a>),
}

/// A low-rank addition `scale * b · a` to a weight (LoRA; Hu and others, 2021).
#[derive(Clone, Copy, Debug)]
pub struct Adapter<'a> {
    pub rank: usize,
    /// alpha / rank.
    pub scale: f32,
    /// (rank, columns).
    pub a: &'a [f32],
    /// (rows, rank).
    pub b: &'a [f32],
    /// Where the gradients of `a` and `b` begin.
    pub gradients: [usize; 2],
}

/// A weight (row, column): `y = x · weightᵀ`.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    pub rows: usize,
    pub cols: usize,
    pub weight: Source<'a>,
    /// Where its gradient begins; none for a frozen weight.
    pub gradient: Option<usize>,
    pub adapter: Option<Adapter<'a>>,
}

/// Kernels and the memory that products need.
#[derive(Debug)]
pub(crate) struct Tools {
    pub kernels: Kernels,
    bf16: bool,
    scratch: Vec<f32>,
    unpacked: Vec<f32>,
    /// Two matrices (token, rank).
    low: [Vec<f32>; 2],
}

impl Tools {
    /// For products of at most `tokens` tokens with adapters of at most `rank`; `packed` with packed weights of at most
    /// `width` columns.
    pub fn new(
        kernels: Kernels,
        bf16: bool,
        tokens: usize,
        rank: usize,
        packed: Option<usize>,
    ) -> Result<Self, TrainError> {
        let unpacked = packed.map_or(0, |width| UNPACKED.max(width));
        Ok(Self {
            kernels,
            bf16,
            scratch: zeros(GEMM_SCRATCH)?,
            unpacked: zeros(unpacked)?,
            low: [zeros(tokens * rank)?, zeros(tokens * rank)?],
        })
    }

    /// [`Kernels::gemm`], or [`Kernels::gemm_bf16`] where that was asked for.
    pub fn gemm(&mut self, a: Operand<'_>, b: Operand<'_>, accumulate: bool, mut out: Target<'_>) {
        match self.bf16 {
            true => self.kernels.gemm_bf16(a, b, accumulate, &mut out, &mut self.scratch),
            false => self.kernels.gemm(a, b, accumulate, &mut out, &mut self.scratch),
        }
    }
}

impl Linear<'_> {
    /// `y = x · weightᵀ` for `n` tokens, or `y += …`: x is (token, column), y is (token, row).
    pub(crate) fn forward(&self, tools: &mut Tools, n: usize, x: &[f32], y: &mut [f32], accumulate: bool) {
        let x = Operand::dense(x, n, self.cols);
        self.pieces(tools, |tools, first, piece| {
            let weight = Operand::dense(piece, piece.len() / self.cols, self.cols).transposed();
            let out = Target::new(&mut y[first..], n, piece.len() / self.cols, self.rows);
            tools.gemm(x, weight, accumulate, out);
        });
        if let Some(adapter) = &self.adapter {
            let mut low = core::mem::take(&mut tools.low[0]);
            self.lower(adapter, tools, x, &mut low);
            let (low_rank, b) = self.low_and_b(adapter, n, &low);
            tools.gemm(low_rank, b.transposed(), true, Target::dense(y, n, self.rows));
            tools.low[0] = low;
        }
    }

    /// `low = scale * x · aᵀ`.
    fn lower(&self, adapter: &Adapter<'_>, tools: &mut Tools, x: Operand<'_>, low: &mut [f32]) {
        let n = x.rows();
        let a = Operand::dense(adapter.a, adapter.rank, self.cols).transposed();
        tools.gemm(x, a, false, Target::dense(low, n, adapter.rank));
        low[..n * adapter.rank].iter_mut().for_each(|x| *x *= adapter.scale);
    }

    fn low_and_b<'t>(&self, adapter: &Adapter<'t>, n: usize, low: &'t [f32]) -> (Operand<'t>, Operand<'t>) {
        (Operand::dense(low, n, adapter.rank), Operand::dense(adapter.b, self.rows, adapter.rank))
    }

    /// From `dy`, the derivative of the result for `x`: `dx = dy · weight` (or `+=`), and the gradients of what learns.
    pub(crate) fn backward(
        &self,
        tools: &mut Tools,
        n: usize,
        (x, dy): (&[f32], &[f32]),
        (dx, accumulate): (&mut [f32], bool),
        gradient: &mut [f32],
    ) {
        self.pieces(tools, |tools, first, piece| {
            let rows = piece.len() / self.cols;
            let part = Operand::new(&dy[first..], n, rows, self.rows);
            let out = Target::dense(dx, n, self.cols);
            tools.gemm(part, Operand::dense(piece, rows, self.cols), accumulate || first > 0, out);
        });
        let (x, dy) = (Operand::dense(x, n, self.cols), Operand::dense(dy, n, self.rows));
        if let Some(start) = self.gradient {
            let out = Target::dense(&mut gradient[start..], self.rows, self.cols);
            tools.gemm(dy.transposed(), x, true, out);
        }
        if let Some(adapter) = &self.adapter {
            self.backward_adapter(adapter, tools, (x, dy), dx, gradient);
        }
    }

    fn backward_adapter(
        &self,
        adapter: &Adapter<'_>,
        tools: &mut Tools,
        (x, dy): (Operand<'_>, Operand<'_>),
        dx: &mut [f32],
        gradient: &mut [f32],
    ) {
        let (n, rank, [at_a, at_b]) = (x.rows(), adapter.rank, adapter.gradients);
        let [mut low, mut dlow] = core::mem::take(&mut tools.low);
        self.lower(adapter, tools, x, &mut low);
        let (low_rank, b) = self.low_and_b(adapter, n, &low);
        tools.gemm(dy.transposed(), low_rank, true, Target::dense(&mut gradient[at_b..], self.rows, rank));
        tools.gemm(dy, b, false, Target::dense(&mut dlow, n, rank));
        dlow[..n * rank].iter_mut().for_each(|x| *x *= adapter.scale);
        let down = Operand::dense(&dlow, n, rank);
        tools.gemm(down.transposed(), x, true, Target::dense(&mut gradient[at_a..], rank, self.cols));
        let a = Operand::dense(adapter.a, rank, self.cols);
        tools.gemm(down, a, true, Target::dense(dx, n, self.cols));
        tools.low = [low, dlow];
    }

    /// Calls `job` with the weight's rows: all at once where they are dense, else unpacked in pieces that stay in a
    /// cache. The number is that of a piece's first row.
    fn pieces(&self, tools: &mut Tools, mut job: impl FnMut(&mut Tools, usize, &[f32])) {
        let matrix = match self.weight {
            Source::Dense(weight) => return job(tools, 0, &weight[..self.rows * self.cols]),
            Source::Packed(matrix) => matrix,
        };
        let mut unpacked = core::mem::take(&mut tools.unpacked);
        let step = (unpacked.len() / self.cols).max(1);
        for first in (0..self.rows).step_by(step) {
            let piece = &mut unpacked[..step.min(self.rows - first) * self.cols];
            for (row, out) in piece.chunks_exact_mut(self.cols).enumerate() {
                matrix.dequantize(first + row, out);
            }
            job(tools, first, piece);
        }
        tools.unpacked = unpacked;
    }

    /// Row `row` of the weight, without the adapter.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        match self.weight {
            Source::Dense(weight) => out.copy_from_slice(&weight[row * self.cols..][..self.cols]),
            Source::Packed(matrix) => matrix.dequantize(row, out),
        }
    }
}
