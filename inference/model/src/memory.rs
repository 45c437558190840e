// SPDX-License-Identifier: MIT
//! How much memory a worker needs, and the division of its scratch memory.

use inference_kernels::CacheKind;
use zerocopy::IntoBytes;

use crate::share::{self, Heads};
use crate::span::QUERIES;
use crate::{Hyper, Model, ModelError};

/// What the caller chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Tokens the cache holds.
    pub context: usize,
    /// Most tokens computed together.
    pub batch: usize,
    /// Workers, at least 1.
    pub workers: usize,
    /// How keys and values are kept.
    pub cache: CacheKind,
}

/// Memory of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Bytes of the key-value cache.
    pub cache: usize,
    /// Elements of `f32` scratch memory.
    pub scratch: usize,
    /// 32-bit words of the outbox; 0 for a single worker.
    pub outbox: usize,
}

/// Counts of the parts of scratch memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    x: usize,
    normed: usize,
    q: usize,
    k: usize,
    v: usize,
    attention: usize,
    gate: usize,
    up: usize,
    scores: usize,
    rope: usize,
    logits: usize,
    quantized: usize,
}

/// A worker's scratch memory. Shapes are (token, width) unless said otherwise.
#[derive(Debug)]
pub(crate) struct Scratch<'b> {
    pub(crate) x: &'b mut [f32],
    pub(crate) normed: &'b mut [f32],
    /// Results that are about to be added to `x`.
    pub(crate) delta: &'b mut [f32],
    pub(crate) q: &'b mut [f32],
    pub(crate) k: &'b mut [f32],
    pub(crate) v: &'b mut [f32],
    pub(crate) attention: &'b mut [f32],
    pub(crate) gate: &'b mut [f32],
    pub(crate) up: &'b mut [f32],
    /// (token of a block of [`QUERIES`], position)
    pub(crate) scores: &'b mut [f32],
    /// (table, token, pair, 2)
    pub(crate) rope: &'b mut [f32],
    /// (vocabulary)
    pub(crate) logits: &'b mut [f32],
    pub(crate) quants: &'b mut [i8],
    pub(crate) quant_scales: &'b mut [f32],
    pub(crate) quant_sums: &'b mut [i16],
}

impl Sizes {
    pub(crate) fn of(hyper: &Hyper, config: &Config, index: usize) -> Option<Self> {
        let heads = Heads::of(hyper, index, config.workers);
        let batch = config.batch;
        let widest =
            hyper.embedding.max(hyper.attention_width()).max(hyper.feed_forward).next_multiple_of(32);
        let share = share::rows(hyper.feed_forward, index, config.workers);
        Some(Self {
            x: batch.checked_mul(hyper.embedding)?,
            normed: batch.checked_mul(hyper.embedding)?,
            q: batch.checked_mul(heads.q.len() * hyper.key_len)?,
            k: batch.checked_mul(heads.kv.len() * hyper.key_len)?,
            v: batch.checked_mul(heads.kv.len() * hyper.value_len)?,
            attention: batch.checked_mul(hyper.attention_width())?,
            gate: batch.checked_mul(hyper.feed_forward)?,
            up: batch.checked_mul(share.len())?,
            scores: config.context.max(batch).checked_mul(batch.min(QUERIES))?,
            rope: batch.checked_mul(2 * hyper.rotated)?,
            logits: hyper.vocab,
            quantized: batch.checked_mul(widest)?,
        })
    }

    pub(crate) fn total(&self) -> Option<usize> {
        let quantized = self.quantized / 4 + self.quantized / 16 + self.quantized / 32;
        let floats = [
            self.x,
            self.normed,
            self.x,
            self.q,
            self.k,
            self.v,
            self.attention,
            self.gate,
            self.up,
            self.scores,
            self.rope,
            self.logits,
            quantized,
        ];
        // A few elements more per part, so that parts start at cache lines.
        floats.iter().try_fold(16 * floats.len() + 64, |sum, n| sum.checked_add(*n))
    }

    pub(crate) fn split<'b>(&self, memory: &'b mut [f32]) -> Scratch<'b> {
        let mut rest = memory;
        let mut take = |n: usize| {
            let (part, tail) = core::mem::take(&mut rest).split_at_mut(n.next_multiple_of(16));
            rest = tail;
            &mut part[..n]
        };
        Scratch {
            x: take(self.x),
            normed: take(self.normed),
            delta: take(self.x),
            q: take(self.q),
            k: take(self.k),
            v: take(self.v),
            attention: take(self.attention),
            gate: take(self.gate),
            up: take(self.up),
            scores: take(self.scores),
            rope: take(self.rope),
            logits: take(self.logits),
            quants: as_i8(take(self.quantized / 4)),
            quant_scales: take(self.quantized / 16),
            quant_sums: as_i16(take(self.quantized / 32)),
        }
    }
}

impl Scratch<'_> {
    /// Overwrites everything that depends on tokens with zeros.
    pub(crate) fn erase(&mut self) {
        let floats = [
            &mut self.x,
            &mut self.normed,
            &mut self.delta,
            &mut self.q,
            &mut self.k,
            &mut self.v,
            &mut self.attention,
            &mut self.gate,
            &mut self.up,
            &mut self.scores,
            &mut self.rope,
            &mut self.logits,
            &mut self.quant_scales,
        ];
        floats.into_iter().for_each(|part| part.fill(0.0));
        self.quants.fill(0);
        self.quant_sums.fill(0);
    }
}

fn as_i8(floats: &mut [f32]) -> &mut [i8] {
    zerocopy::FromBytes::mut_from_bytes(floats.as_mut_bytes()).unwrap_or(&mut [])
}

fn as_i16(floats: &mut [f32]) -> &mut [i16] {
    zerocopy::FromBytes::mut_from_bytes(floats.as_mut_bytes()).unwrap_or(&mut [])
}

impl Model<'_> {
    /// Memory that worker `index` needs.
    ///
    /// # Errors
    /// `BadConfig` for a configuration that cannot be, with the reason.
    pub fn needs(&self, config: &Config, index: usize) -> Result<Needs, ModelError> {
        let bad = |what| ModelError::BadConfig { what };
        let hyper = &self.hyper;
        if config.batch == 0 || config.context == 0 || config.workers == 0 || index >= config.workers {
            return Err(bad("context, batch and workers must be at least 1"));
        }
        if config.workers > hyper.heads {
            return Err(bad("there are more workers than attention heads: use fewer"));
        }
        if config.context > hyper.context {
            return Err(bad("the context is longer than the model's: choose a shorter one"));
        }
        let row =
            |len| config.cache.row_bytes(len).ok_or(bad("a Q8_0 cache needs heads of a multiple of 32"));
        let heads = Heads::of(hyper, index, config.workers).kv.len();
        let position = heads * (row(hyper.key_len)? + row(hyper.value_len)?);
        let cache = position.checked_mul(config.context).and_then(|n| n.checked_mul(hyper.layers));
        let scratch = Sizes::of(hyper, config, index).and_then(|sizes| sizes.total());
        let too_large = || bad("the memory does not fit into the address space: choose a shorter context");
        Ok(Needs {
            cache: cache.ok_or_else(too_large)?,
            scratch: scratch.ok_or_else(too_large)?,
            outbox: crate::team::outbox_words(hyper, config).ok_or_else(too_large)?,
        })
    }

    /// The largest configuration that fits into the given memory: `given[i]` is what worker `i` has. The context is
    /// at most the model's, the batch at most 32.
    ///
    /// # Errors
    /// `BadConfig`, and `SmallBuffer` where not even 64 tokens of context fit.
    pub fn fit(&self, cache: CacheKind, given: &[Needs]) -> Result<Config, ModelError> {
        let mut config = Config { context: self.hyper.context, batch: 32, workers: given.len(), cache };
        let fits = |context| {
            Ok::<_, ModelError>(self.shortage(&Config { context, batch: 1, ..config }, given)?.is_none())
        };
        // Bisection: 64 tokens are the least, `beyond` did not fit.
        let (mut least, mut beyond) = (config.context.min(64), config.context + 1);
        if fits(config.context)? {
            least = config.context;
        }
        while least + 1 < beyond && least < config.context {
            let middle = least.midpoint(beyond);
            *if fits(middle)? { &mut least } else { &mut beyond } = middle;
        }
        config.context = least;
        while config.batch > 1 && self.shortage(&config, given)?.is_some() {
            config.batch /= 2;
        }
        self.shortage(&config, given)?.map_or(Ok(config), Err)
    }

    /// The first buffer that is too small.
    fn shortage(&self, config: &Config, given: &[Needs]) -> Result<Option<ModelError>, ModelError> {
        for (index, given) in given.iter().enumerate() {
            let needs = self.needs(config, index)?;
            let parts = [
                ("the cache", needs.cache, given.cache),
                ("scratch memory", needs.scratch * 4, given.scratch * 4),
                ("an outbox", needs.outbox * 4, given.outbox * 4),
            ];
            for (what, needed, given) in parts {
                if given < needed {
                    return Ok(Some(ModelError::SmallBuffer { what, needed, given }));
                }
            }
        }
        Ok(None)
    }
}
