// SPDX-License-Identifier: MIT
//! One worker: its share of the model, its memory, and its place in the team. The steps that it takes are the same for
//! every architecture and every worker.
//!
//! | file | what |
//! |---|---|
//! | `steps.rs` | commands: the leader's and the followers' |
//! | `pass.rs` | the forward pass, layer by layer |
//! | `attention.rs` | queries, keys, values and attention |
//! | `product.rs` | a weight matrix times activations, with what an adapter adds |
//! | `norm.rs` | norms of rows and heads |

mod attention;
mod norm;
mod pass;
mod product;
mod steps;

use alloc::vec::Vec;

use inference_kernels::{ActivationKind, Kernels};

use crate::adapter::{Adapter, Added};
use crate::cache::Cache;
use crate::memory::{Scratch, Sizes};
use crate::share::Heads;
use crate::tables::Rope;
use crate::team::Team;
use crate::{Config, Model, ModelError};

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
}

fn check_size(what: &'static str, needed: usize, given: usize) -> Result<(), ModelError> {
    if given < needed { Err(ModelError::SmallBuffer { what, needed, given }) } else { Ok(()) }
}
