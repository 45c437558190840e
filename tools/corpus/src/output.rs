// SPDX-License-Identifier: MIT
//! What is written: conversations as the trainer reads them, and questions as the evaluation reads them.

use crate::reading::{Asked, Reading, link};
use anyhow::{Context, Result};
use retrieval::evidence::{NOT_SAID, sentences};
use retrieval::prompt::{Form, Material, Segment, assemble};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    role: &'static str,
    content: String,
}

impl Message {
    /// Of the person.
    pub fn user(content: &str) -> Self {
        Self { role: "user", content: content.to_string() }
    }

    /// Of the model.
    pub fn assistant(content: &str) -> Self {
        Self { role: "assistant", content: content.to_string() }
    }
}

/// A line for the trainer.
#[derive(Debug, Serialize)]
pub struct Conversation {
    pub messages: Vec<Message>,
}

/// A line for `cloister-train eval --grounded`; `answer` is null where the passage has none.
#[derive(Debug, Serialize)]
pub struct Question {
    pub passage: String,
    pub question: String,
    pub answer: Option<String>,
}

/// A question with its passages as the system puts them together.
pub fn asked(question: &str, materials: &[Material<'_>], form: Form) -> String {
    let assembly = assemble(question, materials, form, usize::MAX, |segment| segment.text().len());
    assembly.segments.iter().map(Segment::text).collect()
}

/// A conversation about a passage: the first question comes with it (as `first` puts it), the others follow.
pub fn about(first: impl Fn(&str) -> String, reading: &Reading, rng: &mut fastrand::Rng) -> Conversation {
    let mut messages = Vec::new();
    for (index, (question, answer, fact)) in reading.questions.iter().enumerate() {
        let text = if index == 0 { first(question) } else { format!("{}{question}", link(rng)) };
        messages.push(Message::user(&text));
        messages.push(Message::assistant(answer.as_deref().map_or(NOT_SAID, |text| stating(text, fact))));
    }
    Conversation { messages }
}

/// The sentence that holds the fact, as the system shows sentences to the model.
pub fn stating<'a>(text: &'a str, fact: &str) -> &'a str {
    sentences(text).find(|sentence| sentence.contains(fact)).unwrap_or(text)
}

/// The questions of a reading, one line each.
pub fn questions(reading: &Reading) -> Vec<Question> {
    let line = |(question, answer, value): &Asked| Question {
        passage: reading.passage.clone(),
        question: question.clone(),
        answer: answer.as_ref().map(|_| value.clone()),
    };
    reading.questions.iter().map(line).collect()
}

/// Writes lines of JSON and says how many.
///
/// # Errors
/// When the file cannot be written.
pub fn write<T: Serialize>(folder: &Path, name: &str, lines: &[T]) -> Result<()> {
    let path = folder.join(name);
    let file = std::fs::File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut out = std::io::BufWriter::new(file);
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    out.flush().with_context(|| format!("cannot write {}", path.display()))?;
    println!("{name}: {} lines, {} KiB", lines.len(), std::fs::metadata(&path)?.len() / 1024);
    Ok(())
}
