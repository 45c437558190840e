// SPDX-License-Identifier: MIT
//! What a shard needs: saved activations, derivatives, scratch. Reserved once, before training begins.

use alloc::vec::Vec;

use inference_kernels::Kernels;

use crate::linear::Tools;
use crate::{Net, Plan, Shape, TrainError};

/// `len` zeros.
pub(crate) fn zeros(len: usize) -> Result<Vec<f32>, TrainError> {
    let mut out = Vec::new();
    out.try_reserve_exact(len).map_err(|_| TrainError::OutOfMemory { elements: len })?;
    out.resize(len, 0.0);
    Ok(out)
}

/// What the forward pass of a layer leaves for the backward pass; all are (token, …).
#[derive(Debug)]
pub(crate) struct Saved {
    /// Normed input of attention.
    pub n1: Vec<f32>,
    /// Rotated.
    pub q: Vec<f32>,
    /// Rotated.
    pub k: Vec<f32>,
    pub v: Vec<f32>,
    /// Attention's result.
    pub mixed: Vec<f32>,
    /// After attention's residual addition.
    pub x2: Vec<f32>,
    /// Normed input of the network.
    pub n2: Vec<f32>,
    pub gate: Vec<f32>,
    pub up: Vec<f32>,
    /// `silu(gate) * up`.
    pub hidden: Vec<f32>,
}

impl Saved {
    fn new(shape: &Shape, n: usize) -> Result<Self, TrainError> {
        let (dim, kv, ffn) = (shape.dim, shape.kv_width(), shape.ffn);
        Ok(Self {
            n1: zeros(n * dim)?,
            q: zeros(n * dim)?,
            k: zeros(n * kv)?,
            v: zeros(n * kv)?,
            mixed: zeros(n * dim)?,
            x2: zeros(n * dim)?,
            n2: zeros(n * dim)?,
            gate: zeros(n * ffn)?,
            up: zeros(n * ffn)?,
            hidden: zeros(n * ffn)?,
        })
    }
}

/// Derivatives during the backward pass; all are (token, …).
#[derive(Debug)]
pub(crate) struct Derivatives {
    pub x: Vec<f32>,
    pub normed: Vec<f32>,
    pub mixed: Vec<f32>,
    pub q: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
    pub hidden: Vec<f32>,
}

/// All memory of one shard.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Most tokens at a time.
    pub capacity: usize,
    pub tools: Tools,
    /// The residual stream before each layer, and after the last: (layer + 1, token, dim).
    pub x: Vec<Vec<f32>>,
    /// One per layer, or a single one that is computed again for each layer.
    pub saved: Vec<Saved>,
    pub d: Derivatives,
    /// Two blocks of attention scores: (query, key).
    pub scores: [Vec<f32>; 2],
    /// (position, pair, 2): cosines and sines.
    pub rope: Vec<[f32; 2]>,
    /// Hidden states that make logits, normed or not, and their derivatives: (row, dim).
    pub head: [Vec<f32>; 3],
    /// (row, vocabulary).
    pub logits: Vec<f32>,
}

/// Queries of a block of attention.
pub(crate) const QUERIES: usize = 64;
/// Rows of logits at a time.
pub(crate) const LOGIT_ROWS: usize = 256;

impl Workspace {
    /// For batches as `plan` has them.
    pub fn new(net: &Net<'_>, kernels: Kernels, plan: Plan) -> Result<Self, TrainError> {
        let shape = &net.shape;
        let n = plan.together.max(shape.context);
        let (packed, rank) = net.demands();
        let kept = if plan.recompute { 1 } else { shape.layers };
        let rows = LOGIT_ROWS.min(n);
        let (dim, kv) = (shape.dim, shape.kv_width());
        let scores = QUERIES * shape.context.min(n);
        Ok(Self {
            capacity: n,
            tools: Tools::new(kernels, plan.bf16, n, rank, packed)?,
            x: (0..=shape.layers).map(|_| zeros(n * dim)).collect::<Result<_, _>>()?,
            saved: (0..kept).map(|_| Saved::new(shape, n)).collect::<Result<_, _>>()?,
            d: Derivatives {
                x: zeros(n * dim)?,
                normed: zeros(n * dim)?,
                mixed: zeros(n * dim)?,
                q: zeros(n * dim)?,
                k: zeros(n * kv)?,
                v: zeros(n * kv)?,
                hidden: zeros(n * shape.ffn)?,
            },
            scores: [zeros(scores)?, zeros(scores)?],
            rope: rope_table(shape),
            head: [zeros(rows * dim)?, zeros(rows * dim)?, zeros(rows * dim)?],
            logits: zeros(rows * shape.vocab)?,
        })
    }
}

/// Cosines and sines of all positions: (position, pair).
fn rope_table(shape: &Shape) -> Vec<[f32; 2]> {
    let pairs = shape.head() / 2;
    let frequency =
        |i: usize| libm::pow(f64::from(shape.rope_base), -2.0 * i as f64 / shape.head() as f64) as f32;
    let frequencies: Vec<f32> = (0..pairs).map(frequency).collect();
    let angles = (0..shape.context).flat_map(|t| frequencies.iter().map(move |f| t as f32 * f));
    angles.map(|angle| [libm::cosf(angle), libm::sinf(angle)]).collect()
}
