// SPDX-License-Identifier: MIT
//! `embed`: sentence embeddings of the lines on standard input, as JSON.

use std::io::BufRead;
use std::path::PathBuf;

use anyhow::{Context, Result};
use inference_embedding::{Encoder, EncoderModel};
use inference_gguf::Gguf;

use crate::host;
use crate::output::say;

/// Arguments of `embed`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A model of architecture bert.
    file: PathBuf,
    /// Embed this text instead of standard input.
    #[arg(long)]
    text: Option<String>,
}

/// One JSON array per line.
pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = host::read(&arguments.file)?;
    let unusable = || format!("{} is not usable", arguments.file.display());
    let gguf = Gguf::parse(&bytes).with_context(unusable)?;
    let model =
        EncoderModel::bind(&gguf).map_err(|error| anyhow::anyhow!("{error}")).with_context(unusable)?;
    let needs = model.needs().map_err(|error| anyhow::anyhow!("{error}"))?;
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let mut encoder = Encoder::new(&model, host::kernels(), &mut cache, &mut scratch)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut out = vec![0.0; model.dims()];
    let input: Box<dyn Iterator<Item = std::io::Result<String>>> = match &arguments.text {
        Some(text) => Box::new(std::iter::once(Ok(text.clone()))),
        None => Box::new(std::io::stdin().lock().lines()),
    };
    for line in input {
        encoder.embed(&line?, &mut out).map_err(|error| anyhow::anyhow!("{error}"))?;
        say!("{}", serde_json::json!(out));
    }
    Ok(())
}
