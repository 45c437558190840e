// SPDX-License-Identifier: MIT
//! The backward pass: from the derivative of the last residual stream (`work.d.x`) to the gradients of all that learns.

use inference_kernels::Kernels;

use crate::attention::{self, Inputs, Outputs};
use crate::batch::Packed;
use crate::forward::{self, rotate};
use crate::linear::Tools;
use crate::memory::{Derivatives, Saved, Workspace};
use crate::{Block, Net, Norm, Part, Shape};

/// Goes through all layers, last first, and adds to `gradient`.
pub(crate) fn backward(net: &Net<'_>, work: &mut Workspace, packed: &Packed, gradient: &mut [f32]) {
    for layer in (net.first()..net.shape.layers).rev() {
        if work.saved.len() < net.shape.layers {
            forward::block(net, layer, work, packed);
        }
        block(net, layer, work, packed, gradient);
    }
    let Some(start) = net.embedding.gradient.filter(|_| net.start.is_none()) else { return };
    for (token, dx) in packed.tokens.iter().zip(work.d.x.chunks_exact(net.shape.dim)) {
        let row = &mut gradient[start + *token as usize * net.shape.dim..][..net.shape.dim];
        work.tools.kernels.add_scaled(row, dx, 1.0);
    }
}

/// One layer: `work.d.x` becomes the derivative of the layer's input.
fn block(net: &Net<'_>, layer: usize, work: &mut Workspace, packed: &Packed, gradient: &mut [f32]) {
    let (block, n) = (&net.layers[layer], packed.tokens.len());
    let kept = layer.min(work.saved.len() - 1);
    network(&net.shape, block, &mut work.tools, &mut work.saved[kept], &mut work.d, n, gradient);
    attend(net, block, layer, work, packed, gradient);
}

/// The feed-forward network.
fn network(
    shape: &Shape,
    block: &Block<'_>,
    tools: &mut Tools,
    saved: &mut Saved,
    d: &mut Derivatives,
    n: usize,
    gradient: &mut [f32],
) {
    let wide = n * shape.ffn;
    let dhidden = (&mut d.hidden[..], false);
    block.linear(Part::Down).backward(tools, n, (&saved.hidden, &d.x), dhidden, gradient);
    let (gate, up) = (&mut saved.gate[..wide], &mut saved.up[..wide]);
    tools.kernels.silu_product_backward(&d.hidden[..wide], gate, up);
    let from_gate = (&saved.n2[..], &saved.gate[..]);
    block.linear(Part::Gate).backward(tools, n, from_gate, (&mut d.normed, false), gradient);
    let from_up = (&saved.n2[..], &saved.up[..]);
    block.linear(Part::Up).backward(tools, n, from_up, (&mut d.normed, true), gradient);
    norm(tools.kernels, shape, &block.network_norm, n, &saved.x2, &mut d.normed, &mut d.x, gradient);
}

/// Attention and what surrounds it.
fn attend(
    net: &Net<'_>,
    block: &Block<'_>,
    layer: usize,
    work: &mut Workspace,
    packed: &Packed,
    gradient: &mut [f32],
) {
    let (shape, n) = (&net.shape, packed.tokens.len());
    let kept = layer.min(work.saved.len() - 1);
    let (saved, d, tools) = (&work.saved[kept], &mut work.d, &mut work.tools);
    block.linear(Part::O).backward(tools, n, (&saved.mixed, &d.x), (&mut d.mixed, false), gradient);
    let inputs = Inputs { q: &saved.q, k: &saved.k, v: &saved.v };
    let mut outputs = Outputs { q: &mut d.q, k: &mut d.k, v: &mut d.v };
    let documents = &packed.documents;
    attention::backward(shape, tools, documents, inputs, &d.mixed, &mut work.scores, &mut outputs);
    rotate(tools.kernels, shape, packed, &work.rope, &mut d.q, shape.dim, true);
    rotate(tools.kernels, shape, packed, &work.rope, &mut d.k, shape.kv_width(), true);
    for (part, dy, accumulate) in [(Part::Q, &d.q, false), (Part::K, &d.k, true), (Part::V, &d.v, true)] {
        let dx = (&mut d.normed[..], accumulate);
        block.linear(part).backward(tools, n, (&saved.n1, dy), dx, gradient);
    }
    norm(tools.kernels, shape, &block.attention_norm, n, &work.x[layer], &mut d.normed, &mut d.x, gradient);
}

/// Derivative of a norm of `n` rows: adds to `dx` and to the weights' gradient; overwrites `dy`.
#[allow(clippy::too_many_arguments, reason = "a derivative needs what the function had, and its results")]
pub(crate) fn norm(
    kernels: Kernels,
    shape: &Shape,
    norm: &Norm<'_>,
    n: usize,
    x: &[f32],
    dy: &mut [f32],
    dx: &mut [f32],
    gradient: &mut [f32],
) {
    let dweight = match norm.gradient {
        Some(start) => &mut gradient[start..start + shape.dim],
        None => &mut [],
    };
    let size = n * shape.dim;
    let rows = x[..size].chunks_exact(shape.dim).zip(dy[..size].chunks_exact_mut(shape.dim));
    for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(shape.dim)) {
        kernels.rms_norm_backward(x, norm.weight, shape.eps, dy, dx, dweight);
    }
}
