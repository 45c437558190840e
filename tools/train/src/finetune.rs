// SPDX-License-Identifier: MIT
//! `finetune`: trains an adapter over a frozen model of any type (LoRA; QLoRA where the model is quantised).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use training::{Base, Layout, Net, Part, TrainError, initial};

use crate::adapter;
use crate::options::Options;
use crate::render::Renderer;
use crate::run::{Run, Subject};
use crate::source::Source;

/// Arguments of `finetune`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The model.
    model: PathBuf,
    #[command(flatten)]
    options: Options,
    /// Rows of the smaller matrices: more can learn more.
    #[arg(long, default_value_t = 8)]
    rank: usize,
    /// Strength: the adapter counts alpha / rank times.
    #[arg(long, default_value_t = 16.0)]
    alpha: f32,
    /// What gets an adapter: any of q, k, v, o, gate, up, down.
    #[arg(long, value_delimiter = ',', default_value = "q,k,v,o,gate,up,down")]
    targets: Vec<String>,
}

/// Reads everything, then trains.
pub fn run(arguments: &Arguments) -> Result<()> {
    let options = &arguments.options;
    let (parts, pool) = (parts(arguments)?, options.pool()?);
    let source = Source::read(&arguments.model)?;
    let gguf = source.gguf()?;
    let (model, tokenizer) = (source.model(&gguf)?, source.tokenizer(&gguf)?);
    let base = Base::new(&model, options.context.unwrap_or(512))?;
    let shape = base.shape();
    let layout = Layout::adapters(shape, &parts, arguments.rank);
    println!(
        "model: {} layers of {}, vocabulary {}; adapters of rank {} with {:.3} million parameters",
        shape.layers,
        shape.dim,
        shape.vocab,
        arguments.rank,
        layout.len() as f64 / 1e6
    );
    let renderer = Renderer::new(&tokenizer, gguf.str("tokenizer.chat_template")?)?;
    let sets = options.sets(&renderer, shape, &pool)?;
    let parameters = initial::adapters(&layout, options.seed)?;
    let digest = adapter::digest(source.bytes());
    let identity = format!("{digest} rank {} alpha {}", arguments.rank, arguments.alpha);
    let scale = arguments.alpha / arguments.rank as f32;
    let subject = Adapted { frozen: base.net()?, layout, identity, digest, alpha: arguments.alpha, scale };
    Run::new(options, &subject, sets, parameters, pool)?.train()
}

fn parts(arguments: &Arguments) -> Result<Vec<Part>> {
    ensure!((1..=4096).contains(&arguments.rank), "--rank must be from 1 to 4096");
    ensure!(arguments.alpha.is_finite() && arguments.alpha > 0.0, "--alpha must be more than 0");
    let part = |name: &String| match Part::ALL.into_iter().find(|part| part.short() == name) {
        Some(part) => Ok(part),
        None => bail!("target `{name}` is not known: use q, k, v, o, gate, up, down"),
    };
    arguments.targets.iter().map(part).collect::<Result<_>>().context("--targets")
}

/// A frozen model with adapters that learn.
struct Adapted<'a> {
    frozen: Net<'a>,
    layout: Layout,
    identity: String,
    digest: String,
    alpha: f32,
    scale: f32,
}

impl Subject for Adapted<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn net<'a>(&'a self, parameters: &'a [f32]) -> Result<Net<'a>, TrainError> {
        self.frozen.adapted(&self.layout, parameters, self.scale)
    }

    fn export(&self, parameters: &[f32], file: &Path) -> Result<()> {
        adapter::write(file, &self.digest, self.alpha, &self.layout, parameters)
    }
}
