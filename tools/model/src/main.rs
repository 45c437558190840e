// SPDX-License-Identifier: MIT
//! `cloister-model`: looks into GGUF files, runs, measures and makes them, with the same library as the booted system.
#![forbid(unsafe_code)]

mod bench;
mod bytes;
mod embed;
mod generate;
mod host;
mod inspect;
mod kernels;
mod logits;
mod memory;
mod output;
mod park;
mod partial;
mod perplexity;
mod quantize;
mod reading;
mod sign;
mod synth;
mod text;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Looks into, runs, measures and makes GGUF model files.
#[derive(Parser)]
#[command(name = "cloister-model", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what is in a file: metadata, tensors, and whether this engine runs it.
    Inspect(inspect::Arguments),
    /// Turn text on standard input into token ids, or the other way.
    Tokenize(text::Arguments),
    /// Continue a prompt, or answer it as a chat message.
    Generate(generate::Arguments),
    /// Continue greedily and print logits as JSON, in the form of the golden data.
    Logits(logits::Arguments),
    /// Measure tokens per second of prompt processing and generation.
    Bench(bench::Arguments),
    /// Measure how well a model predicts a text.
    Perplexity(perplexity::Arguments),
    /// Turn each line of standard input into a sentence embedding.
    Embed(embed::Arguments),
    /// Write a model in another type.
    Quantize(quantize::Arguments),
    /// Make a key pair to sign models with.
    Keygen(sign::KeygenArguments),
    /// Sign a model: writes its manifest, FILE.gguf.sig.
    Sign(sign::SignArguments),
    /// Check a model against its manifest, as the loader does.
    Verify(sign::VerifyArguments),
    /// Measure matrix products in cache, per type and instruction set.
    Kernels(kernels::Arguments),
    /// Make a model with the shape of a real one and random weights, for measurements.
    Synth(synth::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::closed(&error) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Tokenize(arguments) => text::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Logits(arguments) => logits::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Perplexity(arguments) => perplexity::run(&arguments),
        Command::Embed(arguments) => embed::run(&arguments),
        Command::Quantize(arguments) => quantize::run(&arguments),
        Command::Keygen(arguments) => sign::keygen(&arguments),
        Command::Sign(arguments) => sign::sign(&arguments),
        Command::Verify(arguments) => sign::verify(&arguments),
        Command::Kernels(arguments) => kernels::run(&arguments),
        Command::Synth(arguments) => synth::run(&arguments),
    }
}
