// SPDX-License-Identifier: MIT
//! `cloister-train`: makes vocabularies and models, with the same library that learns on the device.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use cloister_train::{evaluate, finetune, merge, pretrain, tokenizer};

/// Trains vocabularies and models.
#[derive(Parser)]
#[command(name = "cloister-train", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a vocabulary on texts.
    Tokenizer(tokenizer::Arguments),
    /// Train a model from nothing, or go on from a checkpoint.
    Pretrain(pretrain::Arguments),
    /// Train an adapter (LoRA) for a model, whose file stays as it is.
    Finetune(finetune::Arguments),
    /// Write a model with an adapter added to its weights.
    Merge(merge::Arguments),
    /// Measure how well a model, or a model with an adapter, predicts data.
    Eval(evaluate::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Tokenizer(arguments) => tokenizer::run(&arguments),
        Command::Pretrain(arguments) => pretrain::run(&arguments),
        Command::Finetune(arguments) => finetune::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Eval(arguments) => evaluate::run(&arguments),
    }
}
