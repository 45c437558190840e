// SPDX-License-Identifier: MIT
//! `eval`: the loss of a model on data, as training counts it, or how well it does what the system uses it for.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;
use training::{Base, Gradients, Plan, Tally};

use crate::adapter;
use crate::data::Data;
use crate::pool::{self, Pool};
use crate::render::Renderer;
use crate::source::Source;

/// Arguments of `eval`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The model.
    model: PathBuf,
    /// JSON lines, as for training: the loss on them is measured.
    #[arg(required_unless_present_any = ["commands", "grounded", "talk"])]
    data: Vec<PathBuf>,
    #[command(flatten)]
    tasks: tools_eval::Tasks,
    /// An adapter to measure with the model.
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// Do not check that the adapter was trained on this very file.
    #[arg(long)]
    any_base: bool,
    /// Most tokens of a document.
    #[arg(long, default_value_t = 512)]
    context: usize,
    #[arg(long)]
    threads: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints loss and perplexity, or the accuracy of the tasks.
pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.tasks.any() {
        return tools_eval::run(&arguments.model, &arguments.tasks, arguments.json);
    }
    let tally = measure(arguments)?;
    let (loss, perplexity) = (tally.mean(), tally.mean().exp());
    if arguments.json {
        println!("{}", json!({"loss": loss, "perplexity": perplexity, "tokens": tally.counted}));
    } else {
        println!("loss {loss:.5} nats per token, perplexity {perplexity:.4}, {} tokens", tally.counted);
    }
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<Tally> {
    let pool = Pool::new(arguments.threads.unwrap_or_else(pool::cores))?;
    let source = Source::read(&arguments.model)?;
    let gguf = source.gguf()?;
    let (model, tokenizer) = (source.model(&gguf)?, source.tokenizer(&gguf)?);
    let base = Base::new(&model, arguments.context)?;
    let renderer = Renderer::new(&tokenizer, gguf.str("tokenizer.chat_template")?)?;
    let data = pool.install(|| Data::read(&arguments.data, &renderer, base.shape().context))?;
    let small = arguments.adapter.as_ref().map(|file| Source::read(file)).transpose()?;
    let adapter = small.as_ref().map(|small| adapter::read(&small.gguf()?, base.shape())).transpose();
    let adapter = adapter.context("the adapter is not usable")?;
    let mut net = base.net()?;
    if let Some(adapter) = &adapter {
        if !arguments.any_base {
            adapter.check_base(&adapter::digest(source.bytes()))?;
        }
        net = net.adapted(&adapter.layout, &adapter.parameters, adapter.scale())?;
    }
    let plan = Plan { shards: 4, together: 512, recompute: true, bf16: false };
    let all: Vec<usize> = (0..data.documents.len()).collect();
    let mut gradients = Gradients::new(&net, 0, plan, pool::kernels())?;
    Ok(gradients.evaluate(&net, &data.documents, &all, &pool)?)
}
