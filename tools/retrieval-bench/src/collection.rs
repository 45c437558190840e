// SPDX-License-Identifier: MIT
//! Collections of passages, questions, and which passages answer which question; those in SQuAD's form.
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// A collection: passages are named by their index.
#[derive(Debug, Default)]
pub struct Collection {
    /// Texts to be found.
    pub passages: Vec<String>,
    /// Questions.
    pub questions: Vec<Question>,
}

/// A question and its answers.
#[derive(Debug)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Passages that answer it, and how well (1 or more).
    pub relevant: BTreeMap<usize, u32>,
    /// The passage that is the question itself: it is no answer, however well it fits.
    pub own: Option<usize>,
}

#[derive(Deserialize)]
struct Squad {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Qa>,
}

#[derive(Deserialize)]
struct Qa {
    question: String,
    #[serde(default)]
    is_impossible: bool,
}

/// Reads a file in SQuAD's form (1.1 or 2.0). Equal paragraphs are one passage; questions without answer are left out.
///
/// # Errors
/// A file that cannot be read or has another form.
pub fn squad(path: &Path) -> Result<Collection> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let squad: Squad = serde_json::from_slice(bytes).with_context(|| {
        format!("{} has not the form of SQuAD (data, paragraphs, context, qas)", path.display())
    })?;
    let (mut collection, mut known) = (Collection::default(), HashMap::new());
    for paragraph in squad.data.into_iter().flat_map(|article| article.paragraphs) {
        let index = *known.entry(paragraph.context.clone()).or_insert_with(|| {
            collection.passages.push(paragraph.context);
            collection.passages.len() - 1
        });
        for qa in paragraph.qas.into_iter().filter(|qa| !qa.is_impossible) {
            let relevant = BTreeMap::from([(index, 1)]);
            collection.questions.push(Question { text: qa.question, relevant, own: None });
        }
    }
    collection.check(path)
}

impl Collection {
    pub(crate) fn check(self, path: &Path) -> Result<Self> {
        ensure!(!self.passages.is_empty(), "{} holds no passages", path.display());
        ensure!(!self.questions.is_empty(), "{} holds no questions with an answer", path.display());
        Ok(self)
    }
}
