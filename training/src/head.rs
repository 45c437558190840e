// SPDX-License-Identifier: MIT
//! The last norm, the logits and the loss, for those tokens only whose successor counts.

use crate::batch::{NOT_COUNTED, Packed};
use crate::forward;
use crate::memory::{LOGIT_ROWS, Workspace};
use crate::{Net, backward};

/// The sum of the losses in nats. With a gradient, `work.d.x` becomes the derivative of the last residual stream, and
/// the gradients of norm and output are added to; each loss counts `weight`.
pub(crate) fn loss(
    net: &Net<'_>,
    work: &mut Workspace,
    packed: &Packed,
    weight: f32,
    gradient: Option<&mut [f32]>,
) -> f64 {
    let counted: alloc::vec::Vec<usize> =
        (0..packed.targets.len()).filter(|row| packed.targets[*row] != NOT_COUNTED).collect();
    work.d.x[..packed.tokens.len() * net.shape.dim].fill(0.0);
    let mut gradient = gradient;
    let mut total = 0.0;
    for rows in counted.chunks(LOGIT_ROWS.min(work.capacity)) {
        total += logits(net, work, packed, rows, weight);
        if let Some(gradient) = gradient.as_deref_mut() {
            derive(net, work, rows, gradient);
        }
    }
    total
}

/// Logits of `rows`, which become their derivatives. The result is the sum of the losses.
fn logits(net: &Net<'_>, work: &mut Workspace, packed: &Packed, rows: &[usize], weight: f32) -> f64 {
    let (dim, vocab, kernels) = (net.shape.dim, net.shape.vocab, work.tools.kernels);
    let [hidden, normed, _] = &mut work.head;
    for (row, to) in rows.iter().zip(hidden.chunks_exact_mut(dim)) {
        to.copy_from_slice(&work.x[net.shape.layers][row * dim..][..dim]);
    }
    forward::norm(kernels, &net.shape, &net.output_norm, &hidden[..rows.len() * dim], normed);
    net.output.forward(&mut work.tools, rows.len(), normed, &mut work.logits, false);
    let pairs = rows.iter().zip(work.logits.chunks_exact_mut(vocab));
    pairs
        .map(|(row, logits)| f64::from(kernels.cross_entropy(logits, packed.targets[*row] as usize, weight)))
        .sum()
}

/// From the derivatives of logits to those of the residual stream's `rows`.
fn derive(net: &Net<'_>, work: &mut Workspace, rows: &[usize], gradient: &mut [f32]) {
    let (dim, n) = (net.shape.dim, rows.len());
    let [hidden, normed, dnormed] = &mut work.head;
    let from = (&normed[..], &work.logits[..]);
    net.output.backward(&mut work.tools, n, from, (dnormed, false), gradient);
    // The normed rows are not needed any more: their memory takes the derivative.
    normed[..n * dim].fill(0.0);
    let kernels = work.tools.kernels;
    backward::norm(kernels, &net.shape, &net.output_norm, n, hidden, dnormed, normed, gradient);
    for (row, from) in rows.iter().zip(normed.chunks_exact(dim)) {
        work.d.x[row * dim..][..dim].copy_from_slice(from);
    }
}
