// SPDX-License-Identifier: MIT
//! `cloister-eval`: measures a model.
#![forbid(unsafe_code)]

use clap::Parser;

#[derive(Parser)]
#[command(version, about)]
struct Command {
    #[command(flatten)]
    arguments: tools_eval::Arguments,
}

fn main() -> anyhow::Result<()> {
    tools_eval::run(&Command::parse().arguments)
}
