// SPDX-License-Identifier: MIT
//! The forward pass of one worker: the same steps for every architecture and every worker.

use alloc::vec::Vec;
use core::ops::Range;

use inference_kernels::{Activation, ActivationKind, Kernels, Output, Quantized, Rows, RowsMut, ops};

use crate::adapter::{Adapter, Added, Part};
use crate::attend::Head;
use crate::bind::{Layer, Linear, Norm};
use crate::cache::Cache;
use crate::memory::{Scratch, Sizes};
use crate::share::{self, Heads};
use crate::span::{QUERIES, Span};
use crate::tables::Rope;
use crate::team::{Command, Team};
use crate::{Activate, Config, EvalError, Model, ModelError, NormKind, Residual};

/// How far a step is; handed to the caller's callback after every layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Tokens computed before this batch.
    pub position: usize,
    /// Tokens of this batch.
    pub tokens: usize,
    pub layer: usize,
    pub layers: usize,
}

/// Operations of [`Command`].
const EVAL: u32 = 1;
const EVAL_LOGITS: u32 = 2;
const STOP: u32 = 3;
const ERASE: u32 = 4;

/// One worker: its share of the model, its memory, and its place in the team.
pub struct Worker<'m, 'b> {
    model: &'m Model<'m>,
    config: Config,
    kernels: Kernels,
    heads: Heads,
    rope: Rope,
    scratch: Scratch<'b>,
    cache: Cache<'b>,
    team: Team<'b>,
    tokens: Vec<u32>,
    quantized: Option<ActivationKind>,
    adapter: Option<&'m Adapter>,
    added: Added,
}

impl<'m, 'b> Worker<'m, 'b> {
    /// Sets up worker `team.index()`. `cache` and `scratch` must be as large as [`Model::needs`] says; every
    /// worker of a team gets the same `model`, `config` and `kernels`.
    ///
    /// # Errors
    /// `BadConfig`, `SmallBuffer`.
    pub fn new(
        model: &'m Model<'m>,
        config: Config,
        kernels: Kernels,
        team: Team<'b>,
        cache: &'b mut [u8],
        scratch: &'b mut [f32],
    ) -> Result<Self, ModelError> {
        let index = team.index();
        let needs = model.needs(&config, index)?;
        if team.workers() != config.workers {
            return Err(ModelError::BadConfig { what: "the team has another number of workers" });
        }
        check_size("the cache", needs.cache, cache.len())?;
        check_size("scratch memory", needs.scratch * 4, scratch.len() * 4)?;
        check_size("an outbox", needs.outbox * 4, if config.workers > 1 { team.words() * 4 } else { 0 })?;
        let hyper = &model.hyper;
        let heads = Heads::of(hyper, index, config.workers);
        let too_large = ModelError::BadConfig { what: "the memory does not fit into the address space" };
        let sizes = Sizes::of(hyper, &config, index).ok_or(too_large)?;
        let rows = [hyper.key_len, hyper.value_len].map(|len| config.cache.row_bytes(len).unwrap_or(0));
        let mut tokens = Vec::new();
        tokens.try_reserve_exact(config.batch).map_err(|_| ModelError::OutOfMemory)?;
        tokens.resize(config.batch, 0);
        Ok(Self {
            rope: Rope::new(model, config.context)?,
            cache: Cache::new(config.cache, config.context, heads.kv.len(), rows, cache),
            scratch: sizes.split(scratch),
            quantized: None,
            model,
            config,
            kernels,
            heads,
            team,
            tokens,
            adapter: None,
            added: Added::default(),
        })
    }

    /// The same with an adapter of this model; every worker of a team gets the same one.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn with_adapter(mut self, adapter: &'m Adapter) -> Result<Self, ModelError> {
        self.added = adapter.memory(self.config.batch)?;
        self.adapter = Some(adapter);
        Ok(self)
    }

    /// The configuration this worker was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    #[must_use]
    pub fn model(&self) -> &'m Model<'m> {
        self.model
    }

    /// Leader: computes `tokens` at positions from `position` on; with `logits`, those of the last token are in
    /// [`Worker::logits`]. `go_on` is asked after every layer; where it says no, the batch is abandoned.
    ///
    /// # Errors
    /// `BadToken`, `ContextFull`, `BatchTooLarge`, `Empty` before anything is computed; `Cancelled`, `WorkerLost`.
    pub fn eval(
        &mut self,
        tokens: &[u32],
        position: usize,
        logits: bool,
        go_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), EvalError> {
        self.check(tokens, position)?;
        let op = if logits { EVAL_LOGITS } else { EVAL };
        let command = Command { op, position: position as u32, count: tokens.len() as u32 };
        self.team.command(command, tokens)?;
        self.run(tokens, position, logits, go_on)
    }

    /// Leader: lets the followers return from [`Worker::follow`] with `false`.
    ///
    /// # Errors
    /// `WorkerLost`.
    pub fn stop(&mut self) -> Result<(), EvalError> {
        self.team.command(Command { op: STOP, position: 0, count: 0 }, &[])
    }

    /// Leader: overwrites the cache and all scratch memory of every worker with zeros.
    ///
    /// # Errors
    /// `WorkerLost`.
    pub fn erase(&mut self) -> Result<(), EvalError> {
        self.team.command(Command { op: ERASE, position: 0, count: 0 }, &[])?;
        self.erase_own();
        Ok(())
    }

    /// Follower: takes part in the leader's next step. `false`: the leader said to stop.
    ///
    /// # Errors
    /// `WorkerLost`; other errors are the leader's to report and are passed over.
    pub fn follow(&mut self) -> Result<bool, EvalError> {
        let mut tokens = core::mem::take(&mut self.tokens);
        let command = self.team.await_command(&mut tokens);
        let outcome = command.and_then(|command| self.obey(command, &tokens));
        self.tokens = tokens;
        outcome
    }

    fn obey(&mut self, command: Command, tokens: &[u32]) -> Result<bool, EvalError> {
        let (position, count) = (command.position as usize, command.count as usize);
        match command.op {
            STOP => return Ok(false),
            ERASE => self.erase_own(),
            _ => {
                let tokens = tokens.get(..count).ok_or(EvalError::WorkerLost)?;
                self.check(tokens, position)?;
                match self.run(tokens, position, command.op == EVAL_LOGITS, &mut |_| true) {
                    Err(EvalError::WorkerLost) => return Err(EvalError::WorkerLost),
                    _ => return Ok(true),
                }
            }
        }
        Ok(true)
    }

    fn erase_own(&mut self) {
        self.cache.erase();
        self.scratch.erase();
    }

    /// Logits of the last token, (vocabulary), after [`Worker::eval`] with `logits`. The caller may change them.
    #[must_use]
    pub fn logits(&mut self) -> &mut [f32] {
        self.scratch.logits
    }

    /// Encoders: the last layer's result, (token, embedding).
    #[must_use]
    pub fn hidden(&self, tokens: usize) -> &[f32] {
        &self.scratch.x[..tokens * self.model.hyper.embedding]
    }

    fn check(&self, tokens: &[u32], position: usize) -> Result<(), EvalError> {
        let vocab = self.model.hyper.vocab as u32;
        if tokens.is_empty() {
            return Err(EvalError::Empty);
        }
        if tokens.len() > self.config.batch {
            return Err(EvalError::BatchTooLarge { tokens: tokens.len(), batch: self.config.batch });
        }
        if let Some(token) = tokens.iter().copied().find(|token| *token >= vocab) {
            return Err(EvalError::BadToken { token, vocab });
        }
        let needed = position.saturating_add(tokens.len());
        if needed > self.config.context {
            return Err(EvalError::ContextFull { needed, context: self.config.context });
        }
        Ok(())
    }

    fn run(
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

    /// Q, K and V of this worker's heads.
    fn qkv(&mut self, layer: &Layer<'_>, index: usize, n: usize) {
        let (hyper, heads) = (&self.model.hyper, self.heads.clone());
        let (key, value) = (hyper.key_len, hyper.value_len);
        let q = heads.q.start * key..heads.q.end * key;
        let k = heads.kv.start * key..heads.kv.end * key;
        let v = heads.kv.start * value..heads.kv.end * value;
        self.apply_part(&layer.q, (index, Part::Q, q), Source::Normed, Target::Q, n);
        self.apply_part(&layer.k, (index, Part::K, k), Source::Normed, Target::K, n);
        self.apply_part(&layer.v, (index, Part::V, v), Source::Normed, Target::V, n);
    }

    /// Head norms and rotation, then keys and values go to the cache.
    fn rotate_and_store(&mut self, layer: &Layer<'_>, index: usize, n: usize, position: usize) {
        let (model, hyper) = (self.model, &self.model.hyper);
        let (q_width, k_width) = (self.heads.q.len() * hyper.key_len, self.heads.kv.len() * hyper.key_len);
        let v_width = self.heads.kv.len() * hyper.value_len;
        for t in 0..n {
            let q = &mut self.scratch.q[t * q_width..][..q_width];
            let k = &mut self.scratch.k[t * k_width..][..k_width];
            norm_heads(self.kernels, model, layer.q_norm.as_ref(), q, self.scratch.delta);
            norm_heads(self.kernels, model, layer.k_norm.as_ref(), k, self.scratch.delta);
            let table = self.rope.row(self.scratch.rope, n, t, layer.window > 0);
            self.rope.rotate(self.kernels, model, q, table);
            self.rope.rotate(self.kernels, model, k, table);
            let v = &self.scratch.v[t * v_width..][..v_width];
            let rows = k.chunks_exact(hyper.key_len).zip(v.chunks_exact(hyper.value_len));
            for (head, (k, v)) in rows.enumerate() {
                self.cache.store(self.kernels, [index, head, position + t], k, v);
            }
        }
    }

    /// Attention of this worker's heads, into its columns of `attention`.
    fn attend(&mut self, layer: &Layer<'_>, index: usize, n: usize, position: usize) {
        let hyper = &self.model.hyper;
        let (key, value, all) = (hyper.key_len, hyper.value_len, hyper.attention_width());
        let q_width = self.heads.q.len() * key;
        let Scratch { q, scores, attention, .. } = &mut self.scratch;
        for (local, index_of_head) in self.heads.q.clone().enumerate() {
            let kv = index_of_head / hyper.group() - self.heads.kv.start;
            let head = Head { kernels: self.kernels, cache: &self.cache, layer: index, kv, hyper };
            for first in (0..n).step_by(QUERIES) {
                let span = Span::new(self.model, layer.window, first..n.min(first + QUERIES), n, position);
                let q = &q[first * q_width + local * key..];
                let queries = Rows { values: q, width: key, stride: q_width, count: span.tokens.len() };
                head.weigh(&span, queries, scores);
                let out = &mut attention[first * all + index_of_head * value..];
                head.mix(&span, scores, &mut RowsMut { values: out, width: value, stride: all });
            }
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

    /// Outputs `place.2` of a layer's matrix, with what the adapter adds.
    fn apply_part(&mut self, linear: &Linear<'_>, place: Place, source: Source, target: Target, n: usize) {
        self.apply(&linear.slice(place.2.clone()), Some(place), source, target, n);
    }

    /// `target = linear(source)` for `n` tokens; `place` says which part of which matrix of the model `linear` is.
    fn apply(&mut self, linear: &Linear<'_>, place: Option<Place>, source: Source, target: Target, n: usize) {
        let hyper = &self.model.hyper;
        let kind = ActivationKind::of(linear.weight.kind());
        let Scratch {
            normed,
            attention,
            gate,
            q,
            k,
            v,
            up,
            delta,
            logits,
            quants,
            quant_scales,
            quant_sums,
            ..
        } = &mut self.scratch;
        let rows = linear.weight.rows();
        // A source and a target are never the same buffer: `Gate` is read only into `Delta`.
        let (values, out, stride): (&[f32], &mut [f32], usize) = match (source, target) {
            (Source::Normed, Target::Q) => (normed, q, rows),
            (Source::Normed, Target::K) => (normed, k, rows),
            (Source::Normed, Target::V) => (normed, v, rows),
            (Source::Normed, Target::Up) => (normed, up, rows),
            (Source::Normed, Target::Gate(at)) => (normed, &mut gate[at..], hyper.feed_forward),
            (Source::Normed, Target::Logits(at)) => (normed, &mut logits[at..], hyper.vocab),
            (Source::Attention, Target::Delta(at)) => (attention, &mut delta[at..], hyper.embedding),
            (Source::Gate, Target::Delta(at)) => (gate, &mut delta[at..], hyper.embedding),
            _ => return,
        };
        let width = linear.weight.cols();
        let (scales, sums) = (width / 32 * 2 * n, width / 16 * n);
        let mut quantized =
            Quantized { q: &mut quants[..], d: &mut quant_scales[..], sums: &mut quant_sums[..], width };
        if kind != ActivationKind::F32 && self.quantized != Some(kind) {
            self.kernels.quantize(kind, values, n, &mut quantized);
            self.quantized = Some(kind);
        }
        let float = kind == ActivationKind::F32;
        let x = Activation {
            kind,
            width,
            tokens: n,
            values: &values[..n * width],
            q: if float { &[] } else { &quantized.q[..n * width] },
            d: if float { &[] } else { &quantized.d[..scales] },
            sums: if float { &[] } else { &quantized.sums[..sums] },
        };
        self.kernels.matmul(&linear.weight, &x, &mut Output { values: out, stride });
        if !linear.bias.is_empty() {
            out.chunks_mut(stride)
                .take(n)
                .for_each(|row| ops::add_bytes(&mut row[..rows.min(stride)], linear.bias));
        }
        if let Some((adapter, place)) = self.adapter.zip(place) {
            adapter.add(self.kernels, place, &values[..n * width], (out, stride), &mut self.added);
        }
    }
}

/// Rows of a matrix of a layer.
type Place = (usize, Part, Range<usize>);

/// What a matrix is multiplied with.
#[derive(Clone, Copy)]
enum Source {
    Normed,
    Attention,
    Gate,
}

/// Where the product goes; a number is the first column.
#[derive(Clone, Copy)]
enum Target {
    Q,
    K,
    V,
    Up,
    Gate(usize),
    Delta(usize),
    Logits(usize),
}

fn check_size(what: &'static str, needed: usize, given: usize) -> Result<(), ModelError> {
    if given < needed { Err(ModelError::SmallBuffer { what, needed, given }) } else { Ok(()) }
}

/// Norms each row of `x` into `out`.
fn norm_rows(kernels: Kernels, model: &Model<'_>, norm: &Norm<'_>, x: &[f32], out: &mut [f32]) {
    let (width, eps) = (norm.weight.len(), model.hyper.eps);
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        match model.family.norm {
            NormKind::Rms => kernels.rms_norm(x, norm.weight, eps, out),
            NormKind::Layer => kernels.layer_norm(x, norm.weight, norm.bias, eps, out),
        }
    }
}

/// Norms each head in place, through `spare`.
fn norm_heads(
    kernels: Kernels,
    model: &Model<'_>,
    norm: Option<&Norm<'_>>,
    heads: &mut [f32],
    spare: &mut [f32],
) {
    let Some(norm) = norm else { return };
    for head in heads.chunks_exact_mut(model.hyper.key_len) {
        let spare = &mut spare[..head.len()];
        norm_rows(kernels, model, norm, head, spare);
        head.copy_from_slice(spare);
    }
}
