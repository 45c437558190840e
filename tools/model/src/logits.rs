// SPDX-License-Identifier: MIT
//! `logits`: greedy continuation with mean, length and the eight largest logits of each step.

use std::path::PathBuf;

use anyhow::Result;
use inference_model::{CacheKind, Config, Engine};
use serde_json::{Value, json};

use crate::host;

#[derive(clap::Args)]
pub struct Arguments {
    file: PathBuf,
    /// Token ids, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
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
    let (_, model) = host::bind(&arguments.file, &bytes)?;
    let context = (arguments.prompt_tokens.len() + arguments.steps).min(model.hyper.context);
    let config = Config { context, batch: 32, workers: arguments.threads, cache: CacheKind::F32 };
    let steps = host::with_engine(&model, config, |engine| steps(engine, arguments))?;
    let name = arguments.file.file_name().map(|n| n.to_string_lossy().into_owned());
    let case = json!({ "prompt_tokens": arguments.prompt_tokens, "steps": steps });
    println!("{}", json!({ "model": name, "n_vocab": model.hyper.vocab, "cases": [case] }));
    Ok(())
}

fn steps(engine: &mut Engine<'_, '_>, arguments: &Arguments) -> Result<Vec<Value>> {
    engine.advance(&arguments.prompt_tokens, &mut |_| true)?;
    let mut steps = Vec::new();
    loop {
        let (token, step) = describe(engine.logits());
        steps.push(step);
        if steps.len() >= arguments.steps {
            return Ok(steps);
        }
        engine.push(token)?;
    }
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
