// SPDX-License-Identifier: MIT
//! The forward pass: embedding, layers, output.

use super::norm::norm_rows;
use super::product::{Source, Target};
use super::{Progress, Worker};
use crate::adapter::Part;
use crate::graph::{Layer, Linear, Norm};
use crate::memory::Scratch;
use crate::share::{self, Heads};
use crate::{Activate, EvalError, Residual};

impl Worker<'_, '_> {
    pub(super) fn run(
        &mut self,
        tokens: &[u32],
        position: usize,
        logits: bool,
        go_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), EvalError> {
        let (model, n) = (self.model, tokens.len());
        self.embed(tokens, position);
        self.rope.fill(position, n, self.scratch.rope);
        for (index, layer) in model.layers.iter().enumerate() {
            let progress = Progress { position, tokens: n, layer: index, layers: model.layers.len() };
            let stop = !go_on(progress);
            if self.layer(layer, index, n, position, stop)? {
                return Err(EvalError::Cancelled);
            }
        }
        if logits { self.output(n) } else { Ok(()) }
    }

    /// `x = embedding[token]`, and what families do to it.
    fn embed(&mut self, tokens: &[u32], position: usize) {
        let (model, width) = (self.model, self.model.hyper.embedding);
        let factor = if model.family.scaled_embedding { libm::sqrtf(width as f32) } else { 1.0 };
        let rows = self.scratch.x.chunks_exact_mut(width).zip(tokens);
        for (t, (x, token)) in rows.enumerate() {
            model.embedding.dequantize(*token as usize, x);
            x.iter_mut().for_each(|x| *x *= factor);
            if let Some(encoder) = &model.encoder {
                let extra = &mut self.scratch.delta[..width];
                encoder.types.dequantize(0, extra);
                self.kernels.add_scaled(x, extra, 1.0);
                encoder.positions.dequantize(position + t, extra);
                self.kernels.add_scaled(x, extra, 1.0);
                self.scratch.normed[..width].copy_from_slice(x);
                norm_rows(self.kernels, model, &encoder.norm, &self.scratch.normed[..width], x);
            }
        }
    }

    /// One layer. The result is whether the leader wants to stop.
    fn layer(
        &mut self,
        layer: &Layer<'_>,
        index: usize,
        n: usize,
        position: usize,
        stop: bool,
    ) -> Result<bool, EvalError> {
        let width = self.model.hyper.embedding;
        self.norm_into_normed(layer.attention_norm.as_ref(), n);
        self.qkv(layer, index, n);
        self.rotate_and_store(layer, index, n, position);
        self.attend(layer, index, n, position);
        let (hyper, workers) = (&self.model.hyper, self.config.workers);
        let part = |i| {
            let q = Heads::of(hyper, i, workers).q;
            q.start * hyper.value_len..q.end * hyper.value_len
        };
        let all = hyper.attention_width();
        if self.team.exchange(&mut self.scratch.attention[..n * all], all, part, stop)? {
            return Ok(true);
        }
        self.project(&layer.o, (index, Part::O), Source::Attention, n)?;
        self.add_delta(layer.attention_post.as_ref(), n, width);
        if self.model.family.residual != Residual::Parallel {
            self.norm_into_normed(layer.network_norm.as_ref(), n);
        }
        self.network(layer, index, n)?;
        self.add_delta(layer.network_post.as_ref(), n, width);
        Ok(false)
    }

    /// `normed = norm(x)`, or a copy of `x` where there is no norm.
    fn norm_into_normed(&mut self, norm: Option<&Norm<'_>>, n: usize) {
        let width = self.model.hyper.embedding;
        self.quantized = None;
        let (x, normed) = (&self.scratch.x[..n * width], &mut self.scratch.normed[..n * width]);
        match norm {
            Some(norm) => norm_rows(self.kernels, self.model, norm, x, normed),
            None => normed.copy_from_slice(x),
        }
    }

    /// The feed-forward network on `normed`, into `delta`.
    fn network(&mut self, layer: &Layer<'_>, index: usize, n: usize) -> Result<(), EvalError> {
        let (all, workers) = (self.model.hyper.feed_forward, self.config.workers);
        let part = |i| share::rows(all, i, workers);
        let mine = part(self.team.index());
        let (up, into_gate) = ((index, Part::Up, mine.clone()), Target::Gate(mine.start));
        match &layer.gate {
            Some(gate) => {
                self.apply_part(gate, (index, Part::Gate, mine.clone()), Source::Normed, into_gate, n);
                self.apply_part(&layer.up, up, Source::Normed, Target::Up, n);
            }
            None => self.apply_part(&layer.up, up, Source::Normed, into_gate, n),
        }
        for t in 0..n {
            let gate = &mut self.scratch.gate[t * all..][mine.clone()];
            match self.model.family.activate {
                Activate::SiluGate => self.kernels.silu_gate(gate, &self.scratch.up[t * mine.len()..]),
                Activate::GeluGate => self.kernels.gelu_gate(gate, &self.scratch.up[t * mine.len()..]),
                Activate::Gelu => self.kernels.gelu(gate),
            }
        }
        self.team.exchange(&mut self.scratch.gate[..n * all], all, part, false)?;
        self.project(&layer.down, (index, Part::Down), Source::Gate, n)
    }

    /// `delta = linear(source)`, all columns on every worker.
    fn project(
        &mut self,
        linear: &Linear<'_>,
        (layer, which): (usize, Part),
        source: Source,
        n: usize,
    ) -> Result<(), EvalError> {
        let (width, workers) = (self.model.hyper.embedding, self.config.workers);
        let part = |i| share::rows(width, i, workers);
        let mine = part(self.team.index());
        self.quantized = None;
        self.apply_part(linear, (layer, which, mine.clone()), source, Target::Delta(mine.start), n);
        self.quantized = None;
        self.team.exchange(&mut self.scratch.delta[..n * width], width, part, false).map(|_| ())
    }

    /// `x += delta`, with the norm that the family has here.
    fn add_delta(&mut self, post: Option<&Norm<'_>>, n: usize, width: usize) {
        let (kernels, model) = (self.kernels, self.model);
        let Scratch { x, delta, normed, .. } = &mut self.scratch;
        let (x, delta) = (&mut x[..n * width], &mut delta[..n * width]);
        match (post, model.family.residual) {
            (Some(norm), Residual::Post) => {
                kernels.add_scaled(delta, x, 1.0);
                norm_rows(kernels, model, norm, delta, x);
            }
            (Some(norm), _) => {
                norm_rows(kernels, model, norm, delta, &mut normed[..n * width]);
                kernels.add_scaled(x, &normed[..n * width], 1.0);
            }
            (None, _) => kernels.add_scaled(x, delta, 1.0),
        }
    }

    /// Logits of the last of `n` tokens, on the leader.
    fn output(&mut self, n: usize) -> Result<(), EvalError> {
        let (model, width) = (self.model, self.model.hyper.embedding);
        let (Some(norm), Some(output)) = (&model.output_norm, &model.output) else { return Ok(()) };
        self.quantized = None;
        let last = &self.scratch.x[(n - 1) * width..n * width];
        norm_rows(self.kernels, model, norm, last, &mut self.scratch.normed[..width]);
        let (vocab, workers) = (model.hyper.vocab, self.config.workers);
        let part = |i| share::rows(vocab, i, workers);
        let mine = part(self.team.index());
        self.apply(&output.slice(mine.clone()), None, Source::Normed, Target::Logits(mine.start), 1);
        self.team.exchange(&mut self.scratch.logits[..vocab], vocab, part, false)?;
        if model.hyper.logit_cap > 0.0 {
            self.kernels.soft_cap(self.scratch.logits, model.hyper.logit_cap);
        }
        Ok(())
    }
}
