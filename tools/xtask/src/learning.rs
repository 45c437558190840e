//! Learning on the booted system: two corrections, a job beside the chat, other answers, a power cut, and the way back.

use crate::options::{SystemOptions, tested};
use crate::qemu::Running;
use crate::script::{self, PROMPT, ask, expect, passed};
use crate::{disk, install, shell, system};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// What is asked, and the better answer.
const PAIRS: [(&str, &str); 2] = [
    ("Who feeds the lighthouse cat?", "Marta feeds the cat at noon."),
    ("What colour is my boat?", "Your boat is green with a white sail."),
];
/// Time for a job on an emulated machine.
const JOB_LIMIT: Duration = Duration::from_secs(300);

/// What `cargo xtask test` shows of learning.
///
/// # Errors
/// What is missing in the transcript.
pub fn all() -> Result<()> {
    install::programs(&[install::qemu(tested().isa)])?;
    let options = SystemOptions {
        disk: Some(disk::fresh("learning")?),
        model: Some(shell::root().join("models/cloister-base.gguf")),
        no_embedding: true,
        ..SystemOptions::standard()
    };
    let machine = system::prepare(&options)?.machine;
    let mut running = script::boot(&machine)?;
    settle(&mut running)?;
    let before = answer(&mut running, PAIRS[0].0)?;
    collect(&mut running)?;
    learn(&mut running)?;
    let learnt = answer(&mut running, PAIRS[0].0)?;
    ensure!(learnt != before && learnt == PAIRS[0].1, "learnt:\n{learnt}\nbefore:\n{before}");
    drop(running);
    let mut running = script::boot(&machine)?;
    if !String::from_utf8_lossy(&running.transcript).contains("adapter 1 is in use") {
        running.wait_for("adapter 1 is in use", JOB_LIMIT)?;
        running.wait_for(PROMPT, JOB_LIMIT)?;
    }
    settle(&mut running)?;
    for (question, better) in PAIRS {
        let again = answer(&mut running, question)?;
        ensure!(again == better, "after a power cut `{question}` is answered:\n{again}");
    }
    expect(&ask(&mut running, "/learn rollback")?, &["answers as it was made"])?;
    let back = answer(&mut running, PAIRS[0].0)?;
    ensure!(back == before, "after the rollback:\n{back}\nbefore:\n{before}");
    expect(&ask(&mut running, "/learn forget")?, &["2 pairs and 1 adapters"])?;
    passed("two corrections are learnt beside the chat, outlive a power cut, and are taken back");
    disk::forget()
}

/// The same question gives the same short answer.
fn settle(running: &mut Running) -> Result<()> {
    ask(running, "/set temperature 0")?;
    ask(running, "/set num_predict 24")?;
    ask(running, "/rag off").map(drop)
}

/// The model's words alone, without anything said before.
fn answer(running: &mut Running, question: &str) -> Result<String> {
    ask(running, "/clear")?;
    let shown = ask(running, question)?;
    let said = shown.split_once("[Prompt ").with_context(|| format!("no figures in:\n{shown}"))?.0;
    let said = said.split("[Retrieval ").next().unwrap_or(said);
    // The progress of a prompt is written over.
    let said = said.rsplit_once("tokens)").map_or(said, |(_, said)| said);
    let said = said.trim_start_matches(question);
    Ok(script::words(said))
}

fn collect(running: &mut Running) -> Result<()> {
    expect(&ask(running, "/correct nothing")?, &["learning is off"])?;
    expect(&ask(running, "/learn on")?, &["learning is on"])?;
    for (question, better) in PAIRS {
        ask(running, question)?;
        expect(&ask(running, &format!("/correct {better}"))?, &["kept as pair"])?;
    }
    expect(&ask(running, "/learn list")?, &[PAIRS[0].1, PAIRS[1].1, "2 pair(s); no adapter is in use"])
}

/// A job, and a message that is answered meanwhile.
fn learn(running: &mut Running) -> Result<()> {
    expect(&ask(running, "/learn now")?, &["learning from 2 new pair(s)"])?;
    running.wait_for("learning: pass 1", JOB_LIMIT)?;
    running.wait_for(PROMPT, JOB_LIMIT)?;
    let status = ask(running, "status")?;
    expect(&status, &["trainer", "it is learning: pass"])?;
    expect(&ask(running, "Hello!")?, &["[Prompt "])?;
    let shown = String::from_utf8_lossy(&running.transcript).into_owned();
    if !shown.contains("adapter 1 is in use") {
        running.wait_for("adapter 1 is in use", JOB_LIMIT)?;
        running.wait_for(PROMPT, JOB_LIMIT)?;
    }
    let shown = String::from_utf8_lossy(&running.transcript).into_owned();
    expect(&shown, &["new pairs:", "held back:", "adapter 1 is in use"])
}
