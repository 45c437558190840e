// SPDX-License-Identifier: MIT
//! `bench`: tokens per second of prompt processing and generation; medians of several runs.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use inference_model::{CacheKind, Config, Engine, Model};
use serde_json::json;

use crate::{host, memory, output::say, reading};

#[derive(clap::Args)]
pub struct Arguments {
    file: PathBuf,
    /// Threads; several, separated by commas, are measured one after the other.
    #[arg(short, long, value_delimiter = ',', default_value = "1")]
    threads: Vec<usize>,
    /// Tokens of the prompt.
    #[arg(short, long, default_value_t = 128)]
    prompt: usize,
    /// Tokens to generate.
    #[arg(short = 'n', long, default_value_t = 64)]
    generate: usize,
    /// Runs of which the median counts.
    #[arg(short, long, default_value_t = 3)]
    repetitions: usize,
    /// Most tokens computed together.
    #[arg(short, long, default_value_t = 64)]
    batch: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Count the time that the leading thread ran, not the time that passed: for machines that others use, too.
    #[arg(long)]
    cpu_time: bool,
}

/// Seconds since some moment: of the clock, or those that this thread ran (Linux).
fn now(cpu_time: bool, start: Instant) -> f64 {
    let ran = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
    };
    cpu_time.then(ran).flatten().unwrap_or_else(|| start.elapsed().as_secs_f64())
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = host::read(&arguments.file)?;
    let (_, model) = host::bind(&arguments.file, &bytes)?;
    ensure!(
        arguments.prompt.max(arguments.generate) > 0,
        "nothing to measure: give --prompt or --generate at least 1"
    );
    let context = arguments.prompt.max(arguments.generate.saturating_add(1));
    ensure!(
        context <= model.hyper.context,
        "the model's context is {}: use fewer tokens",
        model.hyper.context
    );
    let mut results = Vec::new();
    for threads in &arguments.threads {
        let batch = arguments.batch.clamp(1, context);
        let config = Config { context, batch, workers: *threads, cache: CacheKind::F16 };
        let (prompt, generation) = host::with_engine(&model, config, |engine| measure(engine, arguments))?;
        let cache = cache_bytes(&model, config)?;
        let rest = memory::peak().map(|peak| peak.saturating_sub(bytes.len() as u64 + cache));
        let read = reading::speed(&bytes, *threads);
        let bandwidth = generation * model.weight_bytes() as f64 / 1e9;
        if !arguments.json {
            say!(
                "{threads} threads ({}): prompt of {} {prompt:9.2} tokens/s, generation of {} {generation:9.2} tokens/s ({bandwidth:.1} GB/s of weights; plain reading {read:.1})",
                host::kernels().name(),
                arguments.prompt,
                arguments.generate
            );
            if let Some(rest) = rest {
                let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
                let (file, cache, rest) = (mib(bytes.len() as u64), mib(cache), mib(rest));
                say!(
                    "  peak memory: {file:.1} MiB of weights, {cache:.1} of keys and values, {rest:.1} of all else"
                );
            }
        }
        results.push(json!({
            "model": arguments.file.file_name().map(|n| n.to_string_lossy().into_owned()),
            "kernels": host::kernels().name(), "threads": threads, "batch": batch,
            "prompt_tokens": arguments.prompt, "prompt_tokens_per_s": prompt,
            "generated_tokens": arguments.generate, "generated_tokens_per_s": generation,
            "weight_bytes_per_token": model.weight_bytes(), "read_gb_per_s": read,
            "file_bytes": bytes.len(), "cache_bytes": cache, "other_bytes_at_peak": rest,
        }));
    }
    if arguments.json {
        say!("{}", serde_json::Value::from(results));
    }
    Ok(())
}

/// Bytes of keys and values of all workers.
fn cache_bytes(model: &Model<'_>, config: Config) -> Result<u64> {
    (0..config.workers).map(|i| Ok(model.needs(&config, i)?.cache as u64)).sum()
}

/// Medians of prompt and generation speed.
fn measure(engine: &mut Engine<'_, '_>, arguments: &Arguments) -> Result<(f64, f64)> {
    let vocab = engine.worker().model().hyper.vocab as u32;
    let tokens: Vec<u32> = (0..arguments.prompt as u32).map(|i| (i * 7 + 3) % vocab).collect();
    let begin = Instant::now();
    let time = || now(arguments.cpu_time, begin);
    let (mut prompts, mut generations) = (Vec::new(), Vec::new());
    // The first run touches memory for the first time and is not counted.
    for run in 0..=arguments.repetitions.max(1) {
        engine.clear()?;
        let start = time();
        if !tokens.is_empty() {
            engine.advance(&tokens, &mut |_| true)?;
        }
        let prompt = tokens.len() as f64 / (time() - start);
        engine.clear()?;
        engine.advance(&[1 % vocab], &mut |_| true)?;
        let start = time();
        for i in 0..arguments.generate as u32 {
            engine.push((i * 11 + 5) % vocab)?;
        }
        let generation = arguments.generate as f64 / (time() - start);
        if run > 0 {
            prompts.push(prompt);
            generations.push(generation);
        }
    }
    Ok((median(prompts), median(generations)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
