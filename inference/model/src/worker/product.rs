// SPDX-License-Identifier: MIT
//! A weight matrix times activations.

use core::ops::Range;

use inference_kernels::{Activation, ActivationKind, Output, Quantized, ops};

use super::Worker;
use crate::Hyper;
use crate::adapter::Part;
use crate::graph::Linear;
use crate::memory::Scratch;

/// Rows of a matrix of a layer.
pub(super) type Place = (usize, Part, Range<usize>);

/// What a matrix is multiplied with.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Normed,
    Attention,
    Gate,
}

/// Where the product goes; a number is the first column.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Q,
    K,
    V,
    Up,
    Gate(usize),
    Delta(usize),
    Logits(usize),
}

/// The buffers of one product.
struct Buffers<'a> {
    /// What is read, (token, column).
    values: &'a [f32],
    /// What is written, (token, `stride`), from the first column on.
    out: &'a mut [f32],
    stride: usize,
    /// `values` in 8 bits, where the weight's type wants them.
    quantized: Quantized<'a>,
}

impl Worker<'_, '_> {
    /// Outputs `place.2` of a layer's matrix, with what the adapter adds.
    pub(super) fn apply_part(
        &mut self,
        linear: &Linear<'_>,
        place: Place,
        source: Source,
        target: Target,
        n: usize,
    ) {
        self.apply(&linear.slice(place.2.clone()), Some(place), source, target, n);
    }

    /// `target = linear(source)` for `n` tokens; `place` says which part of which matrix of the model `linear` is.
    pub(super) fn apply(
        &mut self,
        linear: &Linear<'_>,
        place: Option<Place>,
        source: Source,
        target: Target,
        n: usize,
    ) {
        let Some(buffers) = buffers(&mut self.scratch, &self.model.hyper, linear, source, target) else {
            return;
        };
        let Buffers { values, out, stride, mut quantized } = buffers;
        let kind = ActivationKind::of(linear.weight.kind());
        let values = &values[..n * quantized.width];
        if kind != ActivationKind::F32 && self.quantized != Some(kind) {
            self.kernels.quantize(kind, values, n, &mut quantized);
            self.quantized = Some(kind);
        }
        let x = activation(kind, values, &quantized, n);
        self.kernels.matmul(&linear.weight, &x, &mut Output { values: out, stride });
        if !linear.bias.is_empty() {
            let rows = linear.weight.rows().min(stride);
            out.chunks_mut(stride).take(n).for_each(|row| ops::add_bytes(&mut row[..rows], linear.bias));
        }
        if let Some((adapter, place)) = self.adapter.zip(place) {
            adapter.add(self.kernels, place, values, (out, stride), &mut self.added);
        }
    }
}

/// A source and a target are never the same buffer: `Gate` is read only into `Delta`. `None` for other pairs.
fn buffers<'a>(
    scratch: &'a mut Scratch<'_>,
    hyper: &Hyper,
    linear: &Linear<'_>,
    source: Source,
    target: Target,
) -> Option<Buffers<'a>> {
    let s = scratch;
    let rows = linear.weight.rows();
    let (values, out, stride): (&[f32], &mut [f32], usize) = match (source, target) {
        (Source::Normed, Target::Q) => (s.normed, s.q, rows),
        (Source::Normed, Target::K) => (s.normed, s.k, rows),
        (Source::Normed, Target::V) => (s.normed, s.v, rows),
        (Source::Normed, Target::Up) => (s.normed, s.up, rows),
        (Source::Normed, Target::Gate(at)) => (s.normed, &mut s.gate[at..], hyper.feed_forward),
        (Source::Normed, Target::Logits(at)) => (s.normed, &mut s.logits[at..], hyper.vocab),
        (Source::Attention, Target::Delta(at)) => (s.attention, &mut s.delta[at..], hyper.embedding),
        (Source::Gate, Target::Delta(at)) => (s.gate, &mut s.delta[at..], hyper.embedding),
        _ => return None,
    };
    let (q, d, sums) = (&mut *s.quants, &mut *s.quant_scales, &mut *s.quant_sums);
    Some(Buffers { values, out, stride, quantized: Quantized { q, d, sums, width: linear.weight.cols() } })
}

/// What the product reads: floats, or what they were quantised to.
fn activation<'a>(
    kind: ActivationKind,
    values: &'a [f32],
    quantized: &'a Quantized<'_>,
    tokens: usize,
) -> Activation<'a> {
    let width = quantized.width;
    let floats = Activation { kind, width, tokens, values, q: &[], d: &[], sums: &[] };
    match kind {
        ActivationKind::F32 => floats,
        _ => Activation {
            q: &quantized.q[..tokens * width],
            d: &quantized.d[..tokens * 2 * (width / 32)],
            sums: &quantized.sums[..tokens * (width / 16)],
            ..floats
        },
    }
}
