// SPDX-License-Identifier: MIT
//! Questions about passages.

use crate::answerer::Answerer;
use crate::{Tasks, Report, Tally, lines};
use anyhow::Result;
use retrieval::prompt::{Material, Segment, assemble};
use serde::Deserialize;
use std::path::Path;

/// More words than the fact has: an answer that repeats the whole passage is none.
const WORDS_BESIDES: usize = 16;
/// What an answer says (in small letters) when the passage has none.
const NOT_SAID: [&str; 3] = ["does not say", "doesn't say", "not in the passage"];

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    passage: String,
    question: String,
    answer: Option<String>,
}

/// Measures how many answers hold the fact, and how many say that there is none.
pub fn measure(answerer: &mut Answerer<'_, '_, '_>, file: &Path, tasks: &Tasks) -> Result<Report> {
    let mut tally = Tally::default();
    for line in lines::read::<Line>(file, tasks.limit, "{\"passage\", \"question\", \"answer\"}")? {
        let given = answerer.answer(&(quoted(&line.passage) + &line.question), None)?;
        let part = if line.answer.is_some() { "the passage answers" } else { "the passage does not say" };
        let correct = is_right(&given, line.answer.as_deref());
        tally.count(part, correct, tasks.wrong, || {
            let expected = line.answer.clone().unwrap_or_else(|| "(not said)".to_string());
            [format!("{} {}", line.passage, line.question), expected, given.clone()]
        });
    }
    Ok(tally.report(file, "grounded answers"))
}

/// The passage as the system puts it before a question.
fn quoted(passage: &str) -> String {
    let material = Material { source: "passage", heading: "", score: 1.0, text: passage };
    let assembly = assemble(&[material], usize::MAX, |segment| segment.text().len());
    assembly.segments.iter().map(Segment::text).collect()
}

/// Whether an answer holds the fact word for word (and not much else), or says that there is none.
fn is_right(given: &str, expected: Option<&str>) -> bool {
    let refuses = NOT_SAID.iter().any(|words| given.to_lowercase().contains(words));
    let Some(expected) = expected else { return refuses };
    let (given, expected) = (words(given), words(expected));
    let short = given.len() <= expected.len() + WORDS_BESIDES;
    let holds = !expected.is_empty() && given.windows(expected.len()).any(|window| window == expected);
    !refuses && short && holds
}

/// The words of a text, in small letters, without punctuation around them.
fn words(text: &str) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fact_counts_and_not_the_words_around_it() {
        assert!(is_right("It runs at 48 bar.", Some("48 bar")));
        assert!(is_right("48 Bar", Some("48 bar")));
        assert!(!is_right("It runs at 480 bar.", Some("48 bar")));
        assert!(!is_right("The passage does not say.", Some("48 bar")));
        assert!(is_right("The passage does not say.", None));
        assert!(!is_right("It runs at 48 bar.", None));
        assert!(!is_right(&"word ".repeat(40).replacen("word", "48 bar", 1), Some("48 bar")), "too long");
    }
}
