// SPDX-License-Identifier: MIT
//! What a run says while it goes, and the table of its losses.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{files, plot};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    pub step: u64,
    /// Tokens read so far.
    pub tokens: u64,
    /// Nats per token that counts.
    pub loss: f64,
    pub rate: f32,
    /// Length of the gradient before it was shortened.
    pub norm: f64,
    /// Of the whole run.
    pub seconds: f64,
    /// The loss on held-out data, where it was measured.
    pub held_out: Option<f64>,
}

/// The steps of a run, and when the last line was printed.
pub struct Progress {
    pub records: Vec<Record>,
    printed: Instant,
    interval: Duration,
}

const HEADER: &str = "step,tokens,loss,rate,norm,seconds,held_out\n";

impl Progress {
    /// With the steps of an earlier part of the run: those of the table `file` up to `steps`, if there is one.
    pub fn new(file: &Path, steps: u64) -> Result<Self> {
        let mut records = Vec::new();
        if steps > 0 && file.exists() {
            files::each_line(file, |number, line| {
                let record = (number > 1).then(|| parse(line)).transpose()?;
                records.extend(record.filter(|record| record.step <= steps));
                Ok(())
            })?;
        }
        let interval = Duration::from_secs(10);
        Ok(Self {
            records,
            printed: Instant::now().checked_sub(interval).unwrap_or_else(Instant::now),
            interval,
        })
    }

    /// Adds a step; prints a line every ten seconds. `done` is the part of the run that is done.
    pub fn add(&mut self, record: Record, done: f64, speed: f64) {
        self.records.push(record);
        if self.printed.elapsed() < self.interval {
            return;
        }
        self.printed = Instant::now();
        let left = record.seconds / done.max(1e-9) * (1.0 - done);
        println!(
            "step {:6}  loss {:.4}  rate {:.2e}  gradient {:.2}  {:.0} tokens/s  {:.1} % done, {} left",
            record.step,
            self.recent(),
            record.rate,
            record.norm,
            speed,
            100.0 * done,
            clock(left)
        );
    }

    /// The mean loss of the last twenty steps.
    pub fn recent(&self) -> f64 {
        let last = &self.records[self.records.len().saturating_sub(20)..];
        last.iter().map(|record| record.loss).sum::<f64>() / last.len().max(1) as f64
    }

    /// Notes the loss on held-out data after the last step.
    pub fn held_out(&mut self, loss: f64) {
        println!("held-out loss {loss:.4} (perplexity {:.2})", loss.exp());
        if let Some(last) = self.records.last_mut() {
            last.held_out = Some(loss);
        }
    }

    /// Writes the table, and the plot beside it.
    pub fn write(&self, table: &Path, picture: &Path) -> Result<()> {
        let mut out = HEADER.to_string();
        for r in &self.records {
            let held_out = r.held_out.map(|loss| loss.to_string()).unwrap_or_default();
            writeln!(
                out,
                "{},{},{:.6},{:.6e},{:.4},{:.2},{held_out}",
                r.step, r.tokens, r.loss, r.rate, r.norm, r.seconds
            )?;
        }
        files::write(table, out.as_bytes())?;
        files::write(picture, plot::losses(&self.records)?.as_bytes())
    }
}

fn parse(line: &str) -> Result<Record> {
    let fields: Vec<&str> = line.split(',').collect();
    let field = |index: usize| fields.get(index).copied().context("a column is missing");
    Ok(Record {
        step: field(0)?.parse()?,
        tokens: field(1)?.parse()?,
        loss: field(2)?.parse()?,
        rate: field(3)?.parse()?,
        norm: field(4)?.parse()?,
        seconds: field(5)?.parse()?,
        held_out: field(6)?.parse().ok(),
    })
}

/// Hours, minutes and seconds.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e9) as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
