// SPDX-License-Identifier: MIT
//! `cloister-eval`: measures a model.
#![forbid(unsafe_code)]

use clap::Parser;

#[derive(Parser)]
#[command(version, about)]
struct Command {
    /// The model (GGUF).
    model: std::path::PathBuf,
    #[command(flatten)]
    tasks: tools_eval::Tasks,
    /// Write one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let Command { model, tasks, json } = Command::parse();
    tools_eval::run(&model, &tasks, json)
}
