// SPDX-License-Identifier: MIT
//! Questions about passages.

use crate::answerer::Answerer;
use crate::{Report, Tally, Tasks, lines};
use anyhow::Result;
use inference_sampler::Grammar;
use retrieval::prompt::{Assembly, Form, Material, Segment, assemble};
use serde::Deserialize;
use std::path::Path;

/// More words than the fact has: an answer that repeats the whole passage is none.
const WORDS_BESIDES: usize = 16;
/// What an answer says (in small letters) when the passage has none.
const NOT_SAID: [&str; 6] = [
    "does not say",
    "doesn't say",
    "not in the passage",
    "does not mention",
    "not mentioned",
    "no answer in the passage",
];

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    passage: String,
    question: String,
    /// Null where the passage has none; the key must be there.
    #[serde(deserialize_with = "Option::deserialize")]
    answer: Option<String>,
}

/// Measures how many answers hold the fact, and how many say that there is none.
pub fn measure(answerer: &mut Answerer<'_, '_, '_>, file: &Path, tasks: &Tasks) -> Result<Report> {
    let mut tally = Tally::default();
    for line in lines::read::<Line>(file, tasks.limit, "{\"passage\", \"question\", \"answer\"}")? {
        let quotes = answerer.quotes && !tasks.no_grammar;
        let assembly = asked(&line, if quotes { Form::Sentences } else { Form::Passages });
        let whole: String = assembly.segments.iter().map(Segment::text).collect();
        let text = if whole.is_empty() { line.question.clone() } else { whole };
        let quotations = assembly.quotations.filter(|_| quotes);
        let grammar = quotations.as_deref().map(Grammar::parse);
        let given = answerer.answer(&text, grammar.transpose()?.as_ref())?;
        let part = if line.answer.is_some() { "the passage answers" } else { "the passage does not say" };
        let correct = is_right(&given, &line.passage, line.answer.as_deref());
        tally.count(part, correct, tasks.wrong, || {
            let expected = line.answer.clone().unwrap_or_else(|| "(not said)".to_string());
            [format!("{} {}", line.passage, line.question), expected, given.clone()]
        });
    }
    Ok(tally.report(file, "grounded answers"))
}

/// The passage and the question as the system puts them together.
fn asked(line: &Line, form: Form) -> Assembly {
    let material = Material { source: "passage", heading: "", score: 1.0, text: &line.passage };
    assemble(&line.question, &[material], form, usize::MAX, |segment| segment.text().len())
}

/// Whether an answer holds the fact word for word, or says that there is none. It may be as long as the sentence of the
/// passage that states the fact, or a little longer than the fact.
fn is_right(given: &str, passage: &str, expected: Option<&str>) -> bool {
    let refuses = NOT_SAID.iter().any(|words| given.to_lowercase().contains(words));
    let Some(expected) = expected else { return refuses };
    let (given, expected) = (words(given), words(expected));
    let stating = sentences(passage).map(words).filter(|sentence| holds(sentence, &expected));
    let longest = stating.map(|sentence| sentence.len()).max().unwrap_or(0);
    let short = given.len() <= longest.max(expected.len() + WORDS_BESIDES);
    !refuses && short && holds(&given, &expected)
}

fn holds(text: &[String], fact: &[String]) -> bool {
    !fact.is_empty() && text.windows(fact.len()).any(|window| window == fact)
}

/// The sentences of a passage, as far as punctuation shows them.
fn sentences(passage: &str) -> impl Iterator<Item = &str> {
    passage
        .split_inclusive(['.', '!', '?'])
        .scan(0, |start, piece| {
            let begin = *start;
            *start += piece.len();
            let ends = passage[*start..].starts_with(char::is_whitespace) || *start == passage.len();
            Some((begin, *start, ends))
        })
        .scan(None, |open: &mut Option<usize>, (begin, end, ends)| {
            let first = *open.get_or_insert(begin);
            if ends {
                *open = None;
            }
            Some(ends.then(|| &passage[first..end]))
        })
        .flatten()
}

/// The words of a text, in small letters, without articles and without punctuation around them: as SQuAD's evaluation
/// compares (Rajpurkar and others, 2016), but a fact's points and commas between digits count.
fn words(text: &str) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase();
    let counts = |word: &String| !word.is_empty() && !["a", "an", "the"].contains(&word.as_str());
    text.split_whitespace().map(bare).filter(counts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(given: &str, expected: Option<&str>) -> bool {
        is_right(given, "It runs at 48 bar.", expected)
    }

    #[test]
    fn the_fact_counts_and_not_the_words_around_it() {
        assert!(right("It runs at 48 bar.", Some("48 bar")));
        assert!(right("48 Bar", Some("the 48 bar")));
        assert!(!right("It runs at 480 bar.", Some("48 bar")));
        assert!(!right("The passage does not say.", Some("48 bar")));
        assert!(right("The passage does not say.", None));
        assert!(!right("It runs at 48 bar.", None));
        assert!(!right(&"word ".repeat(40).replacen("word", "48 bar", 1), Some("48 bar")), "too long");
    }

    #[test]
    fn a_long_sentence_may_be_quoted_whole_and_the_passage_may_not() {
        let long = "On 3.5.1990 the server that stands in the cellar of the old town hall near the river was moved \
            by two men to room 12.";
        let passage = format!("{long} It was cold! {long}");
        assert!(is_right(long, &passage, Some("3.5.1990")));
        assert!(!is_right(&passage, &passage, Some("3.5.1990")));
        assert_eq!(sentences(&passage).count(), 3);
    }
}
