//! Scripted conversations: lines typed at prompts, the transcript on standard output.

use crate::qemu::{Machine, Running};
use anyhow::{Context, Result, ensure};
use std::io::Write;
use std::time::{Duration, Instant};

/// A fresh prompt starts a line; a redrawn one follows a carriage return.
pub const PROMPT: &str = "\n>>> ";
/// The last line of a system that was told to stop.
pub const FAREWELL: &str = "The system has stopped";
/// Time for the first prompt: emulated machines share this one's cores, and the official kernel on four takes a minute.
const BOOT_LIMIT: Duration = Duration::from_secs(400);
/// Time for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);

/// Boots `machine` and waits for its first prompt.
///
/// # Errors
/// When no prompt comes.
pub fn boot(machine: &Machine) -> Result<Running> {
    boot_with(machine, &[])
}

/// As [`boot`], with further options for QEMU.
///
/// # Errors
/// When no prompt comes.
pub fn boot_with(machine: &Machine, options: &[String]) -> Result<Running> {
    let mut running = machine.start_with(options)?;
    running.wait_for(PROMPT, BOOT_LIMIT).context("the system did not come up")?;
    Ok(running)
}

/// Time for the echo of a line; longer than that, it was broken into several rows, and is sent as it is.
const ECHO_LIMIT: Duration = Duration::from_secs(10);

/// Types one line at a prompt and returns what the system wrote until the next one. A notice may come while it is
/// typed, with a prompt of its own; so the line is sent when all of it stands at the last prompt.
///
/// # Errors
/// When the prompt does not come back.
pub fn ask(running: &mut Running, line: &str) -> Result<String> {
    running.type_bytes(line.as_bytes())?;
    let end = Instant::now() + ECHO_LIMIT;
    while !plain(&String::from_utf8_lossy(running.unread())).contains(line) && Instant::now() < end {
        running.pump(ECHO_LIMIT)?;
    }
    running.skip();
    running.type_bytes(b"\r")?;
    let answer = running.wait_for(PROMPT, ANSWER_LIMIT);
    let answer = answer.with_context(|| format!("the prompt did not come back after `{line}`"))?;
    Ok(plain(&answer))
}

/// Every part must be in the answer.
///
/// # Errors
/// Names the first that is missing.
pub fn expect(answer: &str, parts: &[&str]) -> Result<()> {
    for part in parts {
        ensure!(answer.contains(part), "`{part}` is missing in:\n{answer}");
    }
    Ok(())
}

/// Says that a conversation went as it must.
pub fn passed(name: &str) {
    eprintln!("ok: {name}");
}

/// The words alone: line ends of a terminal and of a file differ.
pub fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs a script: each line is typed at a prompt; the transcript goes to `out` as it comes.
///
/// # Errors
/// When the system does not come up, a prompt does not come back, or it does not stop at the end.
pub fn run(machine: &Machine, script: &str, out: &mut impl Write) -> Result<()> {
    let mut running = boot(machine)?;
    let mut shown = show(&running, 0, out)?;
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim().is_empty()).collect();
    ensure!(!lines.is_empty(), "the script has no lines");
    let ends_itself = |line: &str| matches!(line.trim(), "exit" | "/exit" | "/bye");
    for line in lines.iter().take_while(|line| !ends_itself(line)) {
        let answered = ask(&mut running, line);
        shown = show(&running, shown, out)?;
        answered?;
    }
    let stopped = leave(&mut running);
    let stopped = stopped.and_then(|_| running.wait_for("\n", Duration::from_secs(5)));
    show(&running, shown, out)?;
    writeln!(out)?;
    stopped.map(|_| ())
}

/// Ends the system. Where a proposal waits for its answer, the first `exit` is that answer.
fn leave(running: &mut Running) -> Result<()> {
    running.type_bytes(b"exit\r")?;
    if running.wait_for_any(&[FAREWELL, "not run"], Duration::from_secs(30))?.0 == 1 {
        running.type_bytes(b"exit\r")?;
        running.wait_for(FAREWELL, Duration::from_secs(30))?;
    }
    Ok(())
}

fn show(running: &Running, from: usize, out: &mut impl Write) -> Result<usize> {
    out.write_all(&running.transcript[from..])?;
    out.flush()?;
    Ok(running.transcript.len())
}

/// Text without terminal control sequences (ECMA-48) and carriage returns.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}
