//! Figures: `cargo xtask bench …`. Each prints the command, the machine and the model beside its numbers.

use crate::options::SystemOptions;
use crate::script::{self, PROMPT};
use crate::{prepare, shell};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Runs of which the median is given.
const RUNS: usize = 5;

/// Time from the start of QEMU to the first prompt.
///
/// # Errors
/// When the system does not come up.
pub fn boot(options: &SystemOptions) -> Result<()> {
    let built = prepare(options)?;
    let mut seconds = Vec::new();
    for _ in 0..RUNS {
        let mut running = built.machine.start()?;
        let start = running.started;
        running.wait_for(PROMPT, Duration::from_secs(120))?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    heading("boot", options)?;
    println!("QEMU start to prompt: {}", spread(&mut seconds, "s"));
    Ok(())
}

/// Speed of answers on the booted system, for 1, 2 and 4 workers.
///
/// # Errors
/// When the system does not come up or prints no figures.
pub fn generate(options: &SystemOptions) -> Result<()> {
    ensure!(options.model.is_some(), "say which model: --model FILE.gguf");
    heading("generate", options)?;
    println!("| workers | prompt tokens/s | generation tokens/s | first token | weights copied per token |");
    println!("|---|---|---|---|---|");
    for workers in [1, 2, 4] {
        let options = SystemOptions { smp: workers, ..options.clone() };
        let built = prepare(&options)?;
        let mut running = script::boot(&built.machine)?;
        for line in ["/set temperature 0", "/set verbose", "/set num_predict 128"] {
            script::ask(&mut running, line)?;
        }
        let answer = script::ask(&mut running, "Once upon a time there was a little girl who liked to play")?;
        let row = figures(&answer).with_context(|| format!("no figures in the answer:\n{answer}"))?;
        println!("| {workers} | {} |", row.join(" | "));
    }
    Ok(())
}

/// How well and how fast passages are found; `options` go to `cloister-retrieval-bench` as they are.
///
/// # Errors
/// When the embedding model cannot be fetched, or the measurement fails.
pub fn retrieval(options: &[String]) -> Result<()> {
    let manifest = shell::root().join("Cargo.toml");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(["run", "--quiet", "--release", "--manifest-path"]).arg(manifest);
    command.args(["--package", "tools-retrieval-bench", "--bin", "cloister-retrieval-bench", "--"]);
    command.args(options);
    let given = |name: &str| options.iter().any(|option| option.starts_with(name));
    if !given("--model") && !given("--hash") && !given("--help") {
        command.arg("--model").arg(crate::minilm::gguf(inference_gguf::GgmlType::Q8_0)?);
    }
    shell::Job::new(command).run()
}

/// The values of the verbose statistics, by their labels.
fn figures(answer: &str) -> Option<Vec<String>> {
    let labels = ["prompt eval rate", "eval rate", "time to first token", "weight bytes copied"];
    labels.iter().map(|label| value(answer, label)).collect()
}

fn value(answer: &str, label: &str) -> Option<String> {
    let line = answer.lines().find(|line| line.trim_start().starts_with(label))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn heading(what: &str, options: &SystemOptions) -> Result<()> {
    println!("command: cargo xtask bench {what}{}", typed(options));
    println!("machine: {}", machine()?);
    if let Some(model) = &options.model {
        println!("model:   {} ({})", file_name(model), sha256(model)?);
    }
    Ok(())
}

fn typed(options: &SystemOptions) -> String {
    let model = options.model.as_ref().map(|model| format!(" --model {}", file_name(model)));
    let cores = if options.smp > 1 { format!(" --smp {}", options.smp) } else { String::new() };
    let first = tools_sysgen::BOARDS[0].name;
    let board = if options.board == first { String::new() } else { format!(" --board {}", options.board) };
    let cpu = options.cpu.as_ref().map(|cpu| format!(" --cpu {cpu}")).unwrap_or_default();
    let icount = if options.icount { " --icount" } else { "" };
    board + &cpu + &model.unwrap_or_default() + &cores + icount
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn sha256(path: &Path) -> Result<String> {
    let text = shell::output(Command::new("sha256sum").arg(path))?;
    Ok(text.chars().take(16).collect())
}

/// Processor and cores.
///
/// # Errors
/// When the system does not say how many cores there are.
pub fn processor() -> Result<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{}, {cores} cores", name.unwrap_or("unknown")))
}

/// Processor, cores and QEMU version.
///
/// # Errors
/// When QEMU is not there.
pub fn machine() -> Result<String> {
    let qemu = crate::install::qemu(board_description::Isa::Aarch64);
    let qemu = shell::output(Command::new(qemu.name).arg("--version"))?;
    Ok(format!("{}; {}", processor()?, qemu.lines().next().unwrap_or_default()))
}

/// Median, with the extremes.
fn spread(values: &mut [f64], unit: &str) -> String {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    format!("{:.2} {unit} (median of {}; {low:.2} to {high:.2})", values[values.len() / 2], values.len())
}
