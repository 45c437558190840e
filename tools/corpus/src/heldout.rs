// SPDX-License-Identifier: MIT
//! Held-out data: wordings, names, values and passages that no training file has.

use crate::commands::Pair;
use crate::generate::{Options, Written, talks};
use crate::manual::Page;
use crate::output::{Question, questions, write};
use crate::reading::{Asked, Reading, Wording};
use crate::source::Split;
use anyhow::Result;
use std::collections::HashSet;

const NEW_VALUES: Wording =
    Wording { values: Split::Held, statements: Split::Train, questions: Split::Train };

/// Requests in wordings that are held out.
///
/// # Errors
/// When a template cannot be filled.
pub fn pairs(options: &Options, read: &Written) -> Result<Vec<Pair>> {
    let mut rng = fastrand::Rng::with_seed(options.seed ^ 0x4e1d);
    read.requests.pairs(options.held * 3 / 2, Split::Held, &read.slots, &HashSet::new(), &mut rng)
}

/// Writes all held-out files.
///
/// # Errors
/// When a list is missing or a file cannot be written.
pub fn write_all(options: &Options, read: &Written) -> Result<()> {
    let out = &options.output;
    let mut pairs = pairs(options, read)?;
    pairs.truncate(options.held);
    write(out, "heldout/commands.jsonl", &pairs)?;
    let new_questions = Wording { questions: Split::Held, ..NEW_VALUES };
    let new_statements = Wording { statements: Split::Held, ..NEW_VALUES };
    for (name, wording) in [
        ("heldout/grounded.jsonl", NEW_VALUES),
        ("heldout/grounded-questions.jsonl", new_questions),
        ("heldout/grounded-statements.jsonl", new_statements),
    ] {
        write(out, name, &asked(wording, options, read)?)?;
    }
    let mut rng = fastrand::Rng::with_seed(options.seed ^ 0x7e47);
    let mut lines = Vec::new();
    while lines.len() < options.held {
        lines.extend(questions(&read.passages.reading(Split::Held, 2, &read.slots, &mut rng)?));
    }
    write(out, "heldout/passages.jsonl", &lines)?;
    let pages = read.pages.iter().flat_map(|page| {
        let questions = page.all(Split::Held);
        questions_of(page, questions)
    });
    write(out, "heldout/manual.jsonl", &pages.collect::<Vec<_>>())?;
    let mut rng = fastrand::Rng::with_seed(options.seed ^ 0x7a1c);
    write(out, "heldout/talk.jsonl", &talks(options.held / 2, Split::Held, read, &mut rng)?)
}

fn questions_of(page: &Page, asked: Vec<Asked>) -> Vec<Question> {
    questions(&Reading { passage: page.passage().to_string(), questions: asked })
}

/// One question for each of many passages.
fn asked(wording: Wording, options: &Options, read: &Written) -> Result<Vec<Question>> {
    let mut rng = fastrand::Rng::with_seed(options.seed ^ 0x9a55);
    let mut lines = Vec::new();
    while lines.len() < options.held {
        let reading = read.facts.reading(wording, 1, &read.slots, &mut rng)?;
        lines.extend(questions(&reading));
    }
    Ok(lines)
}
