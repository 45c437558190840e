// SPDX-License-Identifier: MIT
//! The forward pass, which leaves in the workspace what the backward pass needs.

use inference_kernels::{Kernels, RopeLayout};

use crate::attention::{self, Inputs};
use crate::batch::Packed;
use crate::linear::Tools;
use crate::memory::{Saved, Workspace};
use crate::{Block, Net, Norm, Part, Shape};

/// Computes all layers; the result is in the last of `work.x`.
pub(crate) fn forward(net: &Net<'_>, work: &mut Workspace, packed: &Packed) {
    begin(net, work, packed);
    for layer in net.first()..net.shape.layers {
        block(net, layer, work, packed);
    }
}

/// The input of the first layer that is computed.
pub(crate) fn begin(net: &Net<'_>, work: &mut Workspace, packed: &Packed) {
    let dim = net.shape.dim;
    let Some(start) = &net.start else {
        for (token, x) in packed.tokens.iter().zip(work.x[0].chunks_exact_mut(dim)) {
            net.embedding.row(*token as usize, x);
        }
        return;
    };
    let x = &mut work.x[net.first()];
    for (number, range) in packed.numbers.iter().zip(&packed.documents) {
        let states = &start.states[start.rows[*number] * dim..];
        x[range.start * dim..range.end * dim].copy_from_slice(&states[..range.len() * dim]);
    }
}

/// One layer: from `work.x[layer]` to `work.x[layer + 1]`.
pub(crate) fn block(net: &Net<'_>, layer: usize, work: &mut Workspace, packed: &Packed) {
    let (shape, block) = (&net.shape, &net.layers[layer]);
    let kept = layer.min(work.saved.len() - 1);
    let saved = &mut work.saved[kept];
    let (before, after) = work.x.split_at_mut(layer + 1);
    let (x, out, tools) = (&before[layer], &mut after[0], &mut work.tools);
    let n = packed.tokens.len();
    let size = n * shape.dim;
    norm(tools.kernels, shape, &block.attention_norm, &x[..size], &mut saved.n1);
    block.linear(Part::Q).forward(tools, n, &saved.n1, &mut saved.q, false);
    block.linear(Part::K).forward(tools, n, &saved.n1, &mut saved.k, false);
    block.linear(Part::V).forward(tools, n, &saved.n1, &mut saved.v, false);
    rotate(tools.kernels, shape, packed, &work.rope, &mut saved.q, shape.dim, false);
    rotate(tools.kernels, shape, packed, &work.rope, &mut saved.k, shape.kv_width(), false);
    let inputs = Inputs { q: &saved.q, k: &saved.k, v: &saved.v };
    attention::forward(shape, tools, &packed.documents, inputs, &mut work.scores[0], &mut saved.mixed);
    saved.x2[..size].copy_from_slice(&x[..size]);
    block.linear(Part::O).forward(tools, n, &saved.mixed, &mut saved.x2, true);
    network(net, block, tools, saved, n, out);
}

/// The feed-forward network on `saved.x2`.
fn network(
    net: &Net<'_>,
    block: &Block<'_>,
    tools: &mut Tools,
    saved: &mut Saved,
    n: usize,
    out: &mut [f32],
) {
    let (shape, size) = (&net.shape, n * net.shape.dim);
    norm(tools.kernels, shape, &block.network_norm, &saved.x2[..size], &mut saved.n2);
    block.linear(Part::Gate).forward(tools, n, &saved.n2, &mut saved.gate, false);
    block.linear(Part::Up).forward(tools, n, &saved.n2, &mut saved.up, false);
    let wide = n * shape.ffn;
    tools.kernels.silu_product(&saved.gate[..wide], &saved.up[..wide], &mut saved.hidden[..wide]);
    out[..size].copy_from_slice(&saved.x2[..size]);
    block.linear(Part::Down).forward(tools, n, &saved.hidden, out, true);
}

/// Norms all rows of `x`.
pub(crate) fn norm(kernels: Kernels, shape: &Shape, norm: &Norm<'_>, x: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks_exact(shape.dim).zip(out.chunks_exact_mut(shape.dim)) {
        kernels.rms_norm_f32(x, norm.weight, shape.eps, out);
    }
}

/// Rotates all heads of rows of `width`, by each token's position in its document; `back` in the other direction.
pub(crate) fn rotate(
    kernels: Kernels,
    shape: &Shape,
    packed: &Packed,
    rope: &[[f32; 2]],
    rows: &mut [f32],
    width: usize,
    back: bool,
) {
    let pairs = shape.head() / 2;
    for document in &packed.documents {
        let rows = rows[document.start * width..document.end * width].chunks_exact_mut(width);
        for (row, table) in rows.zip(rope.chunks_exact(pairs)) {
            for head in row.chunks_exact_mut(shape.head()) {
                if back {
                    rotate_back(head, table);
                } else {
                    kernels.rotate(head, table, RopeLayout::Adjacent);
                }
            }
        }
    }
}

/// The inverse rotation, which is the derivative's.
fn rotate_back(head: &mut [f32], table: &[[f32; 2]]) {
    for (pair, [cos, sin]) in head.as_chunks_mut::<2>().0.iter_mut().zip(table) {
        *pair = [pair[0] * cos + pair[1] * sin, pair[1] * cos - pair[0] * sin];
    }
}
