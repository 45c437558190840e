// SPDX-License-Identifier: MIT
//! `cloister-corpus`: the data that the default model is trained with and measured by, and data mined from sources.
//!
//! One design rule: the same seed and the same sources give the same files, and nothing that is held out (wordings,
//! names, values) is in a training file.
#![forbid(unsafe_code)]

mod clinc;
mod commands;
mod dialogues;
mod events;
mod free;
mod generate;
mod grounded;
mod heldout;
mod inquiry;
mod made;
mod manual;
mod mine;
mod names;
mod noise;
mod output;
mod passages;
mod practice;
mod questions;
mod reading;
mod slots;
mod source;
mod substitute;
mod telling;
mod words;

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
    /// Collects the functions of a source tree: lines to train with, and documents to search.
    Mine(mine::Options),
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
    /// Texts whose words are practised with, beside those of the written sources.
    #[arg(long = "text", value_name = "FILE", num_args = 1..)]
    texts: Vec<PathBuf>,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate(options) => generate::run(&options),
        Command::Mine(options) => mine::run(&options),
    }
}
