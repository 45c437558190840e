// SPDX-License-Identifier: MIT
//! Causal attention within each document, and its derivative. Probabilities are computed again in the backward pass
//! instead of being kept (as in Dao and others, 2022), in blocks of queries that see no key after their last.

use core::ops::Range;

use inference_kernels::{Operand, Target};

use crate::Shape;
use crate::linear::Tools;
use crate::memory::QUERIES;

/// Rotated queries and keys, and values: (token, head, element).
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub q: &'a [f32],
    pub k: &'a [f32],
    pub v: &'a [f32],
}

/// Derivatives of [`Inputs`], to be overwritten.
pub(crate) struct Outputs<'a> {
    pub q: &'a mut [f32],
    pub k: &'a mut [f32],
    pub v: &'a mut [f32],
}

/// Some queries of one head of one document.
struct Place {
    /// The first token of the document.
    start: usize,
    /// Queries, counted from `start`.
    queries: Range<usize>,
    /// First element of the head in a row of queries, and in one of keys.
    q: usize,
    kv: usize,
}

/// Calls `job` for all blocks of all heads of all documents, in order.
fn places(shape: &Shape, documents: &[Range<usize>], mut job: impl FnMut(&Place)) {
    for document in documents {
        for head in 0..shape.heads {
            for first in (0..document.len()).step_by(QUERIES) {
                job(&Place {
                    start: document.start,
                    queries: first..(first + QUERIES).min(document.len()),
                    q: head * shape.head(),
                    kv: head / shape.group() * shape.head(),
                });
            }
        }
    }
}

impl Place {
    /// Index of the block's first element in rows of `dim`.
    fn query_at(&self, dim: usize) -> usize {
        (self.start + self.queries.start) * dim + self.q
    }

    fn query_rows<'a>(&self, shape: &Shape, from: &'a [f32]) -> Operand<'a> {
        Operand::new(&from[self.query_at(shape.dim)..], self.queries.len(), shape.head(), shape.dim)
    }

    fn query_target<'a>(&self, shape: &Shape, to: &'a mut [f32]) -> Target<'a> {
        Target::new(&mut to[self.query_at(shape.dim)..], self.queries.len(), shape.head(), shape.dim)
    }

    /// All rows that the block's last query sees.
    fn key_rows<'a>(&self, shape: &Shape, from: &'a [f32]) -> Operand<'a> {
        let width = shape.kv_width();
        Operand::new(&from[self.start * width + self.kv..], self.queries.end, shape.head(), width)
    }

    fn key_target<'a>(&self, shape: &Shape, to: &'a mut [f32]) -> Target<'a> {
        let width = shape.kv_width();
        Target::new(&mut to[self.start * width + self.kv..], self.queries.end, shape.head(), width)
    }

    /// The probabilities of the block: (query, key), zero for keys after the query.
    fn probabilities(&self, shape: &Shape, tools: &mut Tools, from: Inputs<'_>, p: &mut [f32]) {
        let (rows, cols) = (self.queries.len(), self.queries.end);
        let keys = self.key_rows(shape, from.k).transposed();
        tools.gemm(self.query_rows(shape, from.q), keys, false, Target::dense(p, rows, cols));
        for (query, row) in self.queries.clone().zip(p.chunks_exact_mut(cols)) {
            let (seen, hidden) = row.split_at_mut(query + 1);
            tools.kernels.scaled_softmax(seen, scale(shape));
            hidden.fill(0.0);
        }
    }
}

fn scale(shape: &Shape) -> f32 {
    1.0 / libm::sqrtf(shape.head() as f32)
}

/// `out` (token, head, element).
pub(crate) fn forward(
    shape: &Shape,
    tools: &mut Tools,
    documents: &[Range<usize>],
    from: Inputs<'_>,
    p: &mut [f32],
    out: &mut [f32],
) {
    places(shape, documents, |place| {
        place.probabilities(shape, tools, from, p);
        let p = Operand::dense(p, place.queries.len(), place.queries.end);
        tools.gemm(p, place.key_rows(shape, from.v), false, place.query_target(shape, out));
    });
}

/// From `dout`, the derivative of [`forward`]'s result, those of its inputs.
pub(crate) fn backward(
    shape: &Shape,
    tools: &mut Tools,
    documents: &[Range<usize>],
    from: Inputs<'_>,
    dout: &[f32],
    [p, dp]: &mut [alloc::vec::Vec<f32>; 2],
    to: &mut Outputs<'_>,
) {
    to.k.fill(0.0);
    to.v.fill(0.0);
    places(shape, documents, |place| {
        let (rows, cols) = (place.queries.len(), place.queries.end);
        place.probabilities(shape, tools, from, p);
        let dout = place.query_rows(shape, dout);
        let values = place.key_rows(shape, from.v).transposed();
        tools.gemm(dout, values, false, Target::dense(dp, rows, cols));
        let blocks = p.chunks_exact(cols).zip(dp.chunks_exact_mut(cols));
        for (query, (p, dp)) in place.queries.clone().zip(blocks) {
            let (seen, hidden) = dp.split_at_mut(query + 1);
            tools.kernels.scaled_softmax_backward(&p[..=query], scale(shape), seen);
            hidden.fill(0.0);
        }
        let (p, ds) = (Operand::dense(p, rows, cols), Operand::dense(dp, rows, cols));
        let queries = place.query_rows(shape, from.q);
        tools.gemm(p.transposed(), dout, true, place.key_target(shape, to.v));
        tools.gemm(ds, place.key_rows(shape, from.k), false, place.query_target(shape, to.q));
        tools.gemm(ds.transposed(), queries, true, place.key_target(shape, to.k));
    });
}
