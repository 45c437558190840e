// SPDX-License-Identifier: MIT
//! `eval`: how well a model does what the system uses it for.
//!
//! One design rule: a model is asked exactly as the system asks it (the same chat template, the same quotation of
//! passages, the same grammar of commands, the best token each time), and an answer counts by what it says, not by how.
//!
//! Limits: one thread; answers of at most 96 tokens.
#![forbid(unsafe_code)]

mod answerer;
mod commands;
mod grounded;
mod lines;
mod talk;

use anyhow::{Result, ensure};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(clap::Args)]
pub struct Tasks {
    /// Requests in English with their commands: lines {"text", "command"}; "none" where no command fits.
    #[arg(long, value_name = "FILE")]
    commands: Vec<PathBuf>,
    /// Questions about passages: lines {"passage", "question", "answer"}; null where the passage has no answer.
    #[arg(long, value_name = "FILE")]
    grounded: Vec<PathBuf>,
    /// Conversations: lines {"messages": [{"role", "content"}]}; what the user says is used, the model answers.
    #[arg(long, value_name = "FILE")]
    talk: Vec<PathBuf>,
    /// Only the first so many lines of each file.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Show up to so many wrong answers of each file.
    #[arg(long, value_name = "N", default_value_t = 0)]
    wrong: usize,
    /// Hold neither commands nor quotations to a grammar: how much it helps.
    #[arg(long)]
    no_grammar: bool,
}

impl Tasks {
    /// Whether there is something to measure.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.commands.is_empty() || !self.grounded.is_empty() || !self.talk.is_empty()
    }
}

/// What came out for one file.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    kind: &'static str,
    lines: usize,
    correct: usize,
    accuracy: f64,
    /// Parts of it: name, correct, lines.
    parts: Vec<(String, usize, usize)>,
    /// Wrong answers: asked, expected, given.
    wrong: Vec<[String; 3]>,
}

/// Measures `model` and prints, as one JSON object with `json`.
///
/// # Errors
/// When the model cannot be used or a line is not understood (it is named by file and number).
pub fn run(model: &Path, tasks: &Tasks, json: bool) -> Result<()> {
    ensure!(tasks.any(), "nothing to measure: give --commands, --grounded or --talk, each with a FILE.jsonl");
    let mut reports = Vec::new();
    answerer::with(model, |answerer| {
        for file in &tasks.commands {
            reports.push(commands::measure(answerer, file, tasks)?);
        }
        for file in &tasks.grounded {
            reports.push(grounded::measure(answerer, file, tasks)?);
        }
        for file in &tasks.talk {
            reports.push(talk::measure(answerer, file, tasks)?);
        }
        Ok(())
    })?;
    if json {
        let model = model.display().to_string();
        println!("{}", serde_json::json!({ "model": model, "reports": reports }));
    } else {
        reports.iter().for_each(print);
    }
    Ok(())
}

fn print(report: &Report) {
    let Report { file, kind, lines, correct, accuracy, .. } = report;
    println!("{file}: {kind}: {correct} of {lines} correct ({:.1} %)", accuracy * 100.0);
    for (name, correct, lines) in &report.parts {
        println!("  {name}: {correct} of {lines}");
    }
    for [asked, expected, given] in &report.wrong {
        println!("  wrong: {asked}\n    expected: {expected}\n    given:    {given}");
    }
}

/// Counts answers, in all and by part.
#[derive(Default)]
struct Tally {
    lines: usize,
    correct: usize,
    parts: std::collections::BTreeMap<String, (usize, usize)>,
    wrong: Vec<[String; 3]>,
}

impl Tally {
    fn count(&mut self, part: &str, correct: bool, show: usize, wrong: impl FnOnce() -> [String; 3]) {
        self.lines += 1;
        self.correct += usize::from(correct);
        let entry = self.parts.entry(part.to_string()).or_default();
        entry.0 += usize::from(correct);
        entry.1 += 1;
        if !correct && self.wrong.len() < show {
            self.wrong.push(wrong());
        }
    }

    fn report(self, file: &Path, kind: &'static str) -> Report {
        let parts = self.parts.into_iter().map(|(name, (correct, lines))| (name, correct, lines));
        Report {
            file: file.display().to_string(),
            kind,
            lines: self.lines,
            correct: self.correct,
            accuracy: self.correct as f64 / self.lines.max(1) as f64,
            parts: parts.collect(),
            wrong: self.wrong,
        }
    }
}
