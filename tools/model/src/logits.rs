// SPDX-License-Identifier: MIT
//! `logits`: greedy continuation with mean, length and the eight largest logits of each step.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use inference_model::{CacheKind, Config, Engine};
use inference_tokenizer::{Decoder, Tokenizer};
use serde_json::{Value, json};

use crate::{host, output::say, text};

#[derive(clap::Args)]
pub struct Arguments {
    file: PathBuf,
    /// The prompt as text; special tokens in it are special.
    #[arg(short, long, required_unless_present = "prompt_tokens")]
    prompt: Option<String>,
    /// The prompt as token ids, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "prompt")]
    prompt_tokens: Vec<u32>,
    /// Tokens to generate.
    #[arg(long, default_value_t = 16)]
    steps: usize,
    /// Threads.
    #[arg(short, long, default_value_t = 1)]
    threads: usize,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = host::read(&arguments.file)?;
    let (gguf, model) = host::bind(&arguments.file, &bytes)?;
    let tokenizer =
        arguments.prompt.is_some().then(|| text::tokenizer(&arguments.file, &gguf)).transpose()?;
    let prompt = prompt(arguments, tokenizer.as_ref())?;
    // The last token is printed, not computed with.
    let context = prompt.len().saturating_add(arguments.steps.saturating_sub(1)).max(1);
    ensure!(
        context <= model.hyper.context,
        "a prompt of {} tokens and {} steps do not fit into the model's context of {}: use fewer",
        prompt.len(),
        arguments.steps,
        model.hyper.context
    );
    let config = Config { context, batch: 32, workers: arguments.threads, cache: CacheKind::F32 };
    let (steps, made) = host::with_engine(&model, config, |engine| steps(engine, &prompt, arguments.steps))?;
    let name = arguments.file.file_name().map(|n| n.to_string_lossy().into_owned());
    let mut case = json!({ "prompt_tokens": prompt, "steps": steps });
    if let (Some(tokenizer), Some(prompt)) = (&tokenizer, &arguments.prompt) {
        case["prompt"] = json!(prompt);
        case["text"] = json!(continuation(tokenizer, &made));
    }
    say!("{}", json!({ "model": name, "n_vocab": model.hyper.vocab, "cases": [case] }));
    Ok(())
}

/// The prompt's tokens; the tokenizer is there where the prompt is text.
fn prompt(arguments: &Arguments, tokenizer: Option<&Tokenizer<'_>>) -> Result<Vec<u32>> {
    match (&arguments.prompt, tokenizer) {
        (Some(prompt), Some(tokenizer)) => text::encode(tokenizer, prompt, true, true),
        _ => Ok(arguments.prompt_tokens.clone()),
    }
}

fn continuation(tokenizer: &Tokenizer<'_>, tokens: &[u32]) -> String {
    let (mut decoder, mut text) = (Decoder::new(), String::new());
    tokens.iter().for_each(|token| decoder.push(tokenizer, *token, &mut text));
    decoder.finish(&mut text);
    text
}

/// The description of every step, and its token.
fn steps(engine: &mut Engine<'_, '_>, prompt: &[u32], count: usize) -> Result<(Vec<Value>, Vec<u32>)> {
    engine.advance(prompt, &mut |_| true)?;
    let (mut steps, mut tokens) = (Vec::new(), Vec::new());
    for _ in 0..count {
        if let Some(token) = tokens.last() {
            engine.push(*token)?;
        }
        let (token, step) = describe(engine.logits());
        steps.push(step);
        tokens.push(token);
    }
    Ok((steps, tokens))
}

/// The best token, and what the golden data keeps of a step.
fn describe(logits: &[f32]) -> (u32, Value) {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    let mean = logits.iter().map(|x| f64::from(*x)).sum::<f64>() / logits.len() as f64;
    let l2 = logits.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let top: Vec<Value> = order.iter().take(8).map(|i| json!([i, logits[*i]])).collect();
    (order[0] as u32, json!({ "token": order[0], "logits_mean": mean, "logits_l2": l2, "top": top }))
}
