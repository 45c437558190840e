// SPDX-License-Identifier: MIT
//! `pretrain`: trains all weights of a new model.

use std::path::{Path, PathBuf};

use anyhow::Result;
use inference_gguf::Gguf;
use inference_quantize::Mixture;
use retrieval::evidence::QUOTATIONS;
use training::{Layout, Net, Shape, TrainError, initial};

use crate::config::Config;
use crate::export::{self, Export};
use crate::options::Options;
use crate::render::Renderer;
use crate::run::{Run, Subject};
use crate::source::Source;

/// Arguments of `pretrain`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    /// A GGUF file with the vocabulary and the chat template.
    #[arg(long)]
    vocab: PathBuf,
    /// The model's sizes: dim, layers, heads, kv_heads, ffn, context, rope_base, tied, name.
    #[arg(long)]
    config: PathBuf,
    /// Type or mixture of the model file, such as Q8_0, F16 or F32.
    #[arg(long = "type", default_value = "Q8_0")]
    kind: String,
    /// How the data teach to answer from passages: the model file's `cloister.answers`.
    #[arg(long, value_parser = [QUOTATIONS])]
    answers: Option<String>,
}

/// Reads everything, then trains.
pub fn run(arguments: &Arguments) -> Result<()> {
    let options = &arguments.options;
    let (mixture, pool) = (export::mixture(&arguments.kind)?, options.pool()?);
    let source = Source::read(&arguments.vocab)?;
    let gguf = source.gguf()?;
    let tokenizer = source.tokenizer(&gguf)?;
    let (config, text) = Config::read(&arguments.config)?;
    let shape = config.shape(tokenizer.len() as usize)?;
    let layout = Layout::full(&shape);
    println!(
        "model: {:.2} million parameters, {} layers of {}, vocabulary {}, context {}",
        layout.len() as f64 / 1e6,
        shape.layers,
        shape.dim,
        shape.vocab,
        shape.context
    );
    let renderer = Renderer::new(&tokenizer, gguf.str("tokenizer.chat_template")?)?;
    let sets = options.sets(&renderer, &shape, &pool)?;
    let parameters = initial::full(&layout, &shape, options.seed)?;
    let answers = arguments.answers.as_deref();
    let subject = Whole { shape, layout, text, name: config.name, answers, vocabulary: &gguf, mixture };
    Run::new(options, &subject, sets, parameters, pool)?.train()
}

/// A model of which everything learns.
struct Whole<'a> {
    shape: Shape,
    layout: Layout,
    /// Of the configuration.
    text: String,
    name: String,
    answers: Option<&'a str>,
    vocabulary: &'a Gguf<'a>,
    mixture: Mixture,
}

impl Subject for Whole<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn identity(&self) -> &str {
        &self.text
    }

    fn net<'a>(&'a self, parameters: &'a [f32]) -> Result<Net<'a>, TrainError> {
        Net::dense(self.shape, &self.layout, parameters)
    }

    fn export(&self, parameters: &[f32], file: &Path) -> Result<()> {
        let Self { shape, layout, name, answers, vocabulary, mixture, .. } = self;
        Export { name, answers: *answers, vocabulary, shape, layout, parameters, mixture }.write(file)
    }
}
