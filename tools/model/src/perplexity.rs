// SPDX-License-Identifier: MIT
//! `perplexity`: how well a model predicts a text. As llama.cpp's tool does, the text is cut into windows of the
//! context's size, and only the second half of each window counts.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use inference_model::{CacheKind, Config, Engine};

use crate::{host, output::say, text};

/// Arguments of `perplexity`.
#[derive(clap::Args)]
pub struct Arguments {
    file: PathBuf,
    /// The text.
    #[arg(long)]
    text: PathBuf,
    /// Tokens of a window.
    #[arg(short = 'c', long, default_value_t = 512)]
    num_ctx: usize,
    /// Most windows.
    #[arg(long)]
    chunks: Option<usize>,
    /// Threads.
    #[arg(short, long, default_value_t = 1)]
    threads: usize,
}

/// Prints the perplexity.
pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = host::read(&arguments.file)?;
    let (gguf, model) = host::bind(&arguments.file, &bytes)?;
    let tokenizer = text::tokenizer(&arguments.file, &gguf)?;
    let content = text::file(&arguments.text)?;
    let tokens = text::encode(&tokenizer, &content, true, false)?;
    let window = arguments.num_ctx.min(model.hyper.context);
    ensure!(window >= 8, "a window needs at least 8 tokens");
    ensure!(
        tokens.len() >= window,
        "the text has {} tokens, a window {window}: give a longer text or a smaller window (--num-ctx)",
        tokens.len()
    );
    ensure!(arguments.chunks != Some(0), "--chunks 0 leaves nothing to measure: give at least 1");
    let begin = tokens[0];
    let windows: Vec<&[u32]> =
        tokens.chunks_exact(window).take(arguments.chunks.unwrap_or(usize::MAX)).collect();
    let bar = ProgressBar::new(windows.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let config =
        Config { context: window, batch: 32.min(window), workers: arguments.threads, cache: CacheKind::F16 };
    let mut losses: Vec<f64> = Vec::new();
    host::with_engine(&model, config, |engine| {
        for window in &windows {
            let mut window = window.to_vec();
            window[0] = begin;
            half_loss(engine, &window, &mut losses)?;
            bar.set_message(format!("perplexity {:.4}", mean(&losses).0.exp()));
            bar.inc(1);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let (nats, error) = mean(&losses);
    let perplexity = nats.exp();
    say!(
        "perplexity {perplexity:.4} ± {:.4} ({nats:.5} ± {error:.5} nats per token) over {} tokens",
        perplexity * error,
        losses.len()
    );
    Ok(())
}

/// The mean, and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, (variance / count).sqrt())
}

/// Adds the negative logarithms of the probabilities of the window's second half to `losses`.
fn half_loss(engine: &mut Engine<'_, '_>, window: &[u32], losses: &mut Vec<f64>) -> Result<()> {
    let first = window.len() / 2;
    engine.advance(&window[..=first], &mut |_| true)?;
    for next in &window[first + 1..] {
        losses.push(-log_probability(engine.logits(), *next as usize));
        if engine.held().len() + 1 < window.len() {
            engine.push(*next)?;
        }
    }
    Ok(())
}

fn log_probability(logits: &[f32], token: usize) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - most).exp()).sum();
    f64::from(logits[token] - most) - sum.ln()
}
