// SPDX-License-Identifier: MIT
//! Requests in English and the commands they ask for.

use crate::answerer::Answerer;
use crate::{Report, Tally, Tasks, lines};
use anyhow::{Context, Result};
use inference_commands::{NONE, REQUEST, canonical, grammar};
use inference_sampler::Grammar;
use serde::Deserialize;
use std::path::Path;

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    command: String,
}

/// Measures how many requests get the command they ask for, in any of its spellings.
pub fn measure(answerer: &mut Answerer<'_, '_, '_>, file: &Path, tasks: &Tasks) -> Result<Report> {
    let mut tally = Tally::default();
    for line in lines::read::<Line>(file, tasks.limit, "{\"text\", \"command\"}")? {
        let grammar = Grammar::parse(&grammar(&line.text)).context("the grammar of commands")?;
        let grammar = (!tasks.no_grammar).then_some(&grammar);
        let given = answerer.answer(&format!("{REQUEST}{}", line.text), grammar)?;
        let correct = same(&given, &line.command);
        let part = if line.command.trim() == NONE { "no command fits" } else { "commands" };
        tally.count(part, correct, tasks.wrong, || [line.text.clone(), line.command.clone(), given.clone()]);
    }
    Ok(tally.report(file, "commands"))
}

/// Whether two lines are the same command. What is no command of the table is compared as it stands.
fn same(given: &str, expected: &str) -> bool {
    match (canonical(given), canonical(expected)) {
        (Some(given), Some(expected)) => given == expected,
        _ => given.trim() == expected.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_do_not_matter_and_tasks_do() {
        assert!(same("/mem", "mem"));
        assert!(same("/load a.gguf", "model load a.gguf"));
        assert!(!same("/load a.gguf", "/load b.gguf"));
        assert!(!same("none", "/mem"));
    }
}
