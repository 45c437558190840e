//! `cargo xtask bench llama.cpp`: this engine and llama.cpp's `llama-bench` on the same files, in turns, in one run.
//!
//! A turn is one process of each, in changing order, so that other load on the machine meets both alike. Both warm up
//! first, both keep keys and values as halves, both get the same threads and token counts.

use crate::{bench, data, shell};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is compared, and with what.
#[derive(clap::Args)]
pub struct Options {
    /// Folder in which the peer's llama-bench is; LLAMA_CPP_BIN names it, too
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
    /// A model file; may be given several times
    #[arg(long, value_name = "FILE.gguf")]
    model: Vec<PathBuf>,
    /// A made model with random weights, for example tinyllama-1.1b:Q4_K_M; may be given several times
    #[arg(long, value_name = "SHAPE:TYPE")]
    shape: Vec<String>,
    /// Threads; several, separated by commas, are measured one after the other
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Tokens of the prompt
    #[arg(long, default_value_t = 128)]
    prompt: usize,
    /// Tokens to generate
    #[arg(long, default_value_t = 64)]
    generate: usize,
    /// Turns of which the median counts
    #[arg(long, default_value_t = 9)]
    turns: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shapes that are compared where neither a file nor a shape is given.
const SHAPES: [&str; 2] = ["tinyllama-1.1b:Q4_K_M", "smollm2-135m:Q8_0"];
/// Files smaller than this are measured many times per process.
const SMALL: u64 = 64 << 20;

/// Tokens per second of one turn.
#[derive(Clone, Copy)]
struct Speed {
    prompt: f64,
    generation: f64,
    /// What all threads together read of the weights, in GB/s; the peer does not say.
    read: f64,
    bytes: f64,
}

/// Runs the turns and prints medians, their ratios and how far turns differ.
///
/// # Errors
/// When the peer is not there, or one of the two cannot run a model.
pub fn run(options: &Options) -> Result<()> {
    ensure!(options.turns > 0 && options.prompt > 0 && options.generate > 0, "all counts must be at least 1");
    let peer = find(options.peer.as_deref())?;
    let ours = tool()?;
    let models = models(options, &ours)?;
    if !options.json {
        heading(options)?;
    }
    let mut all = Vec::new();
    for model in &models {
        for threads in &options.threads {
            let turns = turns(options, &ours, &peer, model, *threads)?;
            let rows = [
                Row::new(model, *threads, "generation", &turns, |s| s.generation),
                Row::new(model, *threads, "prompt", &turns, |s| s.prompt),
            ];
            if !options.json {
                rows.iter().for_each(|row| println!("{}", row.table()));
            }
            all.extend(rows.iter().map(Row::json));
        }
    }
    if options.json {
        println!("{}", Value::from(all));
    }
    Ok(())
}

/// The peer's program.
fn find(given: Option<&Path>) -> Result<PathBuf> {
    let folder =
        given.map(Path::to_path_buf).or_else(|| std::env::var_os("LLAMA_CPP_BIN").map(PathBuf::from));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folder.map_or_else(|| std::env::split_paths(&path).collect(), |folder| vec![folder]);
    let places =
        folders.iter().flat_map(|f| ["", "bin", "build/bin"].map(|sub| f.join(sub).join("llama-bench")));
    places.into_iter().find(|file| file.is_file()).context(
        "there is no llama-bench: build llama.cpp (for example vendor/llama.cpp of llama-cpp-python's source package: \
         `cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build --target llama-bench`) and name the folder \
         of the program with --peer or LLAMA_CPP_BIN",
    )
}

/// Builds `cloister-model`.
fn tool() -> Result<PathBuf> {
    shell::Job::new(shell::cargo(&["build", "--quiet", "--release", "--package", "tools-model"])).run()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
    Ok(target.join("release/cloister-model"))
}

/// The files to measure; made ones are kept in `target/bench`.
fn models(options: &Options, ours: &Path) -> Result<Vec<PathBuf>> {
    let mut files = options.model.clone();
    let mut shapes: Vec<&str> = options.shape.iter().map(String::as_str).collect();
    if files.is_empty() && shapes.is_empty() {
        shapes.extend(SHAPES);
        files.extend(data::shared().map(|shared| data::story(&shared, "stories3M-q8_0")));
    }
    let folder = shell::root().join("target/bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for shape in shapes {
        let (name, kind) =
            shape.split_once(':').with_context(|| format!("--shape {shape}: write SHAPE:TYPE"))?;
        let file = folder.join(format!("{name}-{kind}.gguf"));
        if !file.is_file() {
            let mut command = Command::new(ours);
            command.args(["synth", "--shape", name, "--type", kind]).arg(&file);
            shell::Job::new(command).run()?;
        }
        files.push(file);
    }
    Ok(files)
}

fn heading(options: &Options) -> Result<()> {
    println!("machine: {}", bench::processor()?);
    println!(
        "{} turns; prompt of {} tokens, generation of {}; keys and values F16",
        options.turns, options.prompt, options.generate
    );
    println!(
        "| model | threads | | Cloister tokens/s | llama.cpp tokens/s | ratio of medians | ratios, middle half | weights read |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    Ok(())
}

/// Speeds of both, turn by turn; who begins changes.
fn turns(
    options: &Options,
    ours: &Path,
    peer: &Path,
    model: &Path,
    threads: usize,
) -> Result<Vec<(Speed, Speed)>> {
    let (p, g, t) = (options.prompt.to_string(), options.generate.to_string(), threads.to_string());
    let size = std::fs::metadata(model).with_context(|| format!("cannot read {}", model.display()))?.len();
    let repetitions = if size < SMALL { "9" } else { "1" };
    let common = ["-p", &p, "-n", &g, "-t", &t, "-r", repetitions];
    let engine = || measure(Command::new(ours).arg("bench").arg(model).args(common).arg("--json"), own);
    let llama = || measure(Command::new(peer).arg("-m").arg(model).args(common).args(["-o", "json"]), peers);
    (0..options.turns)
        .map(|turn| {
            if turn % 2 == 0 {
                let first = engine()?;
                return Ok((first, llama()?));
            }
            let first = llama()?;
            Ok((engine()?, first))
        })
        .collect()
}

fn measure(command: &mut Command, read: impl Fn(&Value) -> Option<Speed>) -> Result<Speed> {
    let shown = shell::show(command);
    let text = shell::output(command)?;
    let value = serde_json::from_str(&text).with_context(|| format!("`{shown}` printed no JSON"))?;
    read(&value).with_context(|| format!("`{shown}` printed no speeds:\n{text}"))
}

/// What `cloister-model bench --json` says.
fn own(value: &Value) -> Option<Speed> {
    let number = |name: &str| value[0][name].as_f64();
    Some(Speed {
        prompt: number("prompt_tokens_per_s")?,
        generation: number("generated_tokens_per_s")?,
        read: number("read_gb_per_s")?,
        bytes: number("weight_bytes_per_token")?,
    })
}

/// What `llama-bench -o json` says: one entry per test, with the speed of every repetition.
fn peers(value: &Value) -> Option<Speed> {
    let of = |count: &str| {
        let test = value.as_array()?.iter().find(|test| test[count].as_u64() > Some(0))?;
        let samples = test["samples_ts"].as_array()?.iter().filter_map(Value::as_f64).collect();
        Some(middle(samples, 0.5))
    };
    Some(Speed { prompt: of("n_prompt")?, generation: of("n_gen")?, read: 0.0, bytes: 0.0 })
}

/// The value below which `part` of all values lie.
fn middle(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((part * last as f64).round() as usize).copied().unwrap_or(0.0)
}

/// A line of the table.
struct Row {
    model: String,
    threads: usize,
    what: &'static str,
    ours: Vec<f64>,
    peer: Vec<f64>,
    /// GB/s of weights at the median speed, and what plain reading reaches; only generation reads all of them per token.
    read: Option<(f64, f64)>,
}

impl Row {
    fn new(
        model: &Path,
        threads: usize,
        what: &'static str,
        turns: &[(Speed, Speed)],
        get: impl Fn(&Speed) -> f64,
    ) -> Self {
        let ours: Vec<f64> = turns.iter().map(|(ours, _)| get(ours)).collect();
        let peer = turns.iter().map(|(_, peer)| get(peer)).collect();
        let reads = turns.iter().map(|(ours, _)| ours.read).collect();
        let used = middle(ours.clone(), 0.5) * turns[0].0.bytes / 1e9;
        let read = (what == "generation").then(|| (used, middle(reads, 0.5)));
        let model = model.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self { model, threads, what, ours, peer, read }
    }

    fn ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.peer).map(|(ours, peer)| ours / peer).collect()
    }

    fn ratio(&self) -> f64 {
        middle(self.ours.clone(), 0.5) / middle(self.peer.clone(), 0.5)
    }

    fn table(&self) -> String {
        let spread = |values: &Vec<f64>| {
            let at = |part| middle(values.clone(), part);
            format!("{:.1} ({:.1} to {:.1})", at(0.5), at(0.0), at(1.0))
        };
        let (low, high) = (middle(self.ratios(), 0.25), middle(self.ratios(), 0.75));
        let read = self.read.map_or_else(String::new, |(used, most)| format!("{used:.1} of {most:.1} GB/s"));
        format!(
            "| {} | {} | {} | {} | {} | {:.2} | {low:.2} to {high:.2} | {read} |",
            self.model,
            self.threads,
            self.what,
            spread(&self.ours),
            spread(&self.peer),
            self.ratio(),
        )
    }

    fn json(&self) -> Value {
        json!({
            "model": self.model, "threads": self.threads, "what": self.what, "ratio_of_medians": self.ratio(),
            "cloister_tokens_per_s": self.ours, "llama_cpp_tokens_per_s": self.peer, "cache": "F16",
            "weights_gb_per_s": self.read.map(|read| read.0), "read_gb_per_s": self.read.map(|read| read.1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_from_both_programs() {
        let peer = json!([{"n_prompt": 128, "n_gen": 0, "samples_ts": [1.0, 3.0, 2.0]},
            {"n_prompt": 0, "n_gen": 64, "samples_ts": [5.0]}]);
        let speed = peers(&peer).unwrap();
        assert!((speed.prompt, speed.generation) == (2.0, 5.0));
        assert!(peers(&json!([])).is_none() && own(&json!([{}])).is_none());
    }

    #[test]
    fn a_missing_peer_is_said_with_what_to_do() {
        let error = find(Some(Path::new("/nowhere"))).unwrap_err().to_string();
        assert!(error.contains("there is no llama-bench") && error.contains("--peer"));
    }
}
