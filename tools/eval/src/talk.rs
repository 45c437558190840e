// SPDX-License-Identifier: MIT
//! Conversations: what a person says is given, and the model answers each of it, with its own answers before.

use crate::answerer::{Answer, Answerer};
use crate::{Report, Tally, Tasks, lines};
use anyhow::Result;
use inference_template::{Message, Role};
use serde::Deserialize;
use std::path::Path;

/// So many words in a row that come twice in one answer are a repetition.
const RUN: usize = 4;

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    messages: Vec<Said>,
}

/// Something said. What an assistant says in the file is not used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    role: String,
    content: String,
}

/// Measures how many answers end by themselves, say something, and repeat neither themselves nor the answer before.
pub fn measure(answerer: &mut Answerer<'_, '_, '_>, file: &Path, tasks: &Tasks) -> Result<Report> {
    let mut tally = Tally::default();
    for line in lines::read::<Line>(file, tasks.limit, "{\"messages\": [{\"role\", \"content\"}]}")? {
        let asked = line.messages.iter().filter(|said| said.role == "user").map(|said| &said.content);
        let mut said: Vec<(Role, String)> = Vec::new();
        for text in asked {
            said.push((Role::User, text.clone()));
            let messages: Vec<_> = said.iter().map(|(role, text)| Message { role: *role, text }).collect();
            let answer = answerer.reply(&messages)?;
            let before =
                said.iter().rev().find(|(role, _)| *role == Role::Assistant).map(|(_, text)| text.as_str());
            let fault = fault(&answer, before);
            tally.count(fault.unwrap_or("fine"), fault.is_none(), tasks.wrong, || {
                [text.clone(), fault.unwrap_or_default().to_string(), answer.text.clone()]
            });
            said.push((Role::Assistant, answer.text));
        }
    }
    Ok(tally.report(file, "answers in conversations"))
}

/// What is wrong with an answer.
fn fault(answer: &Answer, before: Option<&str>) -> Option<&'static str> {
    let words: Vec<&str> = answer.text.split_whitespace().collect();
    let repeats = (0..words.len().saturating_sub(RUN)).any(|at| {
        let run = &words[at..at + RUN];
        words[at + 1..].windows(RUN).any(|other| other == run)
    });
    match answer {
        Answer { ended: false, .. } => Some("does not end"),
        Answer { text, .. } if text.is_empty() => Some("says nothing"),
        _ if repeats => Some("repeats itself"),
        Answer { text, .. } if Some(text.as_str()) == before => Some("repeats the answer before"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_and_answers_without_end_are_found() {
        let of = |text: &str, ended| fault(&Answer { text: text.to_string(), ended }, Some("Hello."));
        assert_eq!(of("All is well.", true), None);
        assert_eq!(of("All is well.", false), Some("does not end"));
        assert_eq!(of("", true), Some("says nothing"));
        assert_eq!(of("Hello.", true), Some("repeats the answer before"));
        assert_eq!(of("it is a it is a it is a day", true), Some("repeats itself"));
        assert_eq!(of("a a a a a", true), Some("repeats itself"));
    }
}
