// SPDX-License-Identifier: MIT
//! Questions about Cloister, with the passages of its documents that answer them.

use crate::reading::{Asked, Reading};
use crate::source::{Lines, Section, Split, all_sections, held};
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// A passage and its questions.
pub struct Page {
    pub source: String,
    pub heading: String,
    passage: String,
    questions: Lines,
    unanswered: Vec<String>,
}

/// Reads `manual.txt` and its further parts.
///
/// # Errors
/// Names the line that is not understood, or whose answer does not stand in its passage.
pub fn read(data: &Path) -> Result<Vec<Page>> {
    all_sections(data, "manual")?.iter().map(|(path, section)| page(section, path)).collect()
}

fn page(section: &Section, path: &Path) -> Result<Page> {
    let (source, heading) = section.title.split_once(" > ").unwrap_or((&section.title, ""));
    let mut page = Page {
        source: source.to_string(),
        heading: heading.to_string(),
        passage: String::new(),
        questions: Lines::default(),
        unanswered: Vec::new(),
    };
    for (number, line) in &section.lines {
        let (is_held, line) = held(line);
        page.add(is_held, line).with_context(|| format!("{}:{number}: {line}", path.display()))?;
    }
    Ok(page)
}

impl Page {
    fn add(&mut self, is_held: bool, line: &str) -> Result<()> {
        match line.split_once(' ') {
            Some(("p", text)) => self.passage = format!("{} {text}", self.passage).trim().to_string(),
            Some(("n", text)) => self.unanswered.push(text.to_string()),
            Some(("q", text)) => {
                let (_, answer) = text.split_once(" | ").context("no answer")?;
                ensure!(self.passage.contains(answer.trim()), "the answer is not in the passage");
                self.questions.push(is_held, text);
            }
            _ => bail!("neither p, q nor n"),
        }
        Ok(())
    }

    /// The passage with up to `count` of its questions.
    pub fn reading(&self, split: Split, count: usize, rng: &mut fastrand::Rng) -> Reading {
        let mut questions = Vec::new();
        let mut all = self.all(split);
        rng.shuffle(&mut all);
        questions.extend(all.into_iter().take(count));
        Reading { passage: self.passage.clone(), questions }
    }

    /// All its questions of a split; those without an answer count as training data.
    pub fn all(&self, split: Split) -> Vec<Asked> {
        let answered = self.questions.of(split).iter().filter_map(|line| line.split_once(" | "));
        let mut all: Vec<_> = answered
            .map(|(question, answer)| {
                let answer = answer.trim().to_string();
                (question.trim().to_string(), Some(answer.clone()), answer)
            })
            .collect();
        if split == Split::Train {
            all.extend(self.unanswered.iter().map(|question| (question.clone(), None, String::new())));
        }
        all
    }

    /// The passage.
    pub fn passage(&self) -> &str {
        &self.passage
    }
}
