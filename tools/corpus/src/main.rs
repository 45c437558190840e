// SPDX-License-Identifier: MIT
//! `cloister-corpus`: the data that the default model is trained with and measured by.
//!
//! One design rule: the same seed and the same sources give the same files, and nothing that is held out (wordings,
//! names, values) is in a training file.
#![forbid(unsafe_code)]

mod clinc;
mod commands;
mod dialogues;
mod generate;
mod grounded;
mod made;
mod manual;
mod noise;
mod output;
mod practice;
mod slots;
mod source;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "cloister-corpus", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes training and held-out data (JSONL) from the sources in models/data.
    Generate(generate::Options),
}

/// Where the sources are.
#[derive(clap::Args)]
struct Sources {
    /// Folder with the written sources.
    #[arg(long, default_value = "models/data")]
    data: PathBuf,
    /// CLINC150's train/validation file (CC BY 3.0): more requests that no command fits, and more ways to talk.
    #[arg(long)]
    clinc: Option<PathBuf>,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate(options) => generate::run(&options),
    }
}
