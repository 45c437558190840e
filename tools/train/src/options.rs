// SPDX-License-Identifier: MIT
//! What all training runs can be told.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use training::{Curve, Shape};

use crate::data::Data;
use crate::pool::{self, Pool};
use crate::render::Renderer;
use crate::run::Sets;

/// Arguments that `pretrain` and `finetune` share.
#[derive(clap::Args)]
pub struct Options {
    /// JSON lines: {"text"}, {"prompt", "completion"} or {"messages": [{"role", "content"}]}.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// The result; checkpoint, losses and plot are written beside it.
    #[arg(short, long)]
    pub out: PathBuf,
    /// Go on from this checkpoint.
    #[arg(long)]
    pub resume: Option<PathBuf>,
    /// Stop after so many steps.
    #[arg(long)]
    pub steps: Option<u64>,
    /// Stop after so many minutes. Runs repeat exactly only with --steps.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Tokens of a step.
    #[arg(long, default_value_t = 4096)]
    pub batch: usize,
    /// Most tokens of a document; the model's context if absent.
    #[arg(long)]
    pub context: Option<usize>,
    /// Highest learning rate.
    #[arg(long, default_value_t = 1e-3)]
    pub lr: f32,
    /// Steps in which the learning rate rises.
    #[arg(long, default_value_t = 100)]
    pub warmup: u64,
    /// How the learning rate falls.
    #[arg(long, value_enum, default_value_t = Form::Cosine)]
    pub schedule: Form,
    /// Weight decay.
    #[arg(long, default_value_t = 0.1)]
    pub decay: f32,
    /// Of initial numbers and of the documents' order.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// All cores if absent.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Parts of a step that are computed independently. Another number gives other roundings.
    #[arg(long, default_value_t = 4)]
    pub shards: usize,
    /// Compute activations again in the backward pass: less memory, a third more work.
    #[arg(long)]
    pub recompute: bool,
    /// Multiply in BF16 (sums in F32) where the processor can: nearly twice as fast, and runs repeat exactly only on
    /// processors that can.
    #[arg(long)]
    pub bf16: bool,
    /// Held-out data, whose loss is measured with every checkpoint.
    #[arg(long)]
    pub eval: Option<PathBuf>,
    /// Minutes between checkpoints.
    #[arg(long, default_value_t = 5.0)]
    pub save_every: f64,
}

/// The forms of a schedule.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Form {
    Constant,
    Cosine,
    /// Warm-up, stable, decay in the last fifth.
    Wsd,
}

impl From<Form> for Curve {
    fn from(form: Form) -> Self {
        match form {
            Form::Constant => Self::Constant,
            Form::Cosine => Self::Cosine,
            Form::Wsd => Self::WarmStableDecay,
        }
    }
}

impl Options {
    /// Checks what clap does not, and starts threads.
    pub fn pool(&self) -> Result<Pool> {
        ensure!(self.steps.is_some() || self.minutes.is_some(), "say when to stop: --steps or --minutes");
        Pool::new(self.threads.unwrap_or_else(pool::cores))
    }

    /// Reads the data files and reports what is in them.
    pub fn sets(&self, renderer: &Renderer<'_, '_>, shape: &Shape, pool: &Pool) -> Result<Sets> {
        let context = self.context.unwrap_or(shape.context).min(shape.context);
        let read = |files: &[PathBuf]| pool.install(|| Data::read(files, renderer, context));
        let data = read(&self.data)?;
        let (inputs, targets) = data.totals();
        println!(
            "data: {} documents, {inputs} tokens, {targets} of them with loss; {} lines were cut, {} have nothing to learn",
            data.documents.len(),
            data.cut,
            data.empty
        );
        let held_out = self.eval.as_ref().map(|file| read(std::slice::from_ref(file))).transpose()?;
        Ok(Sets { data, held_out })
    }
}
