// SPDX-License-Identifier: MIT
//! The sentences of passages that are closest to a question, by words alone.
//!
//! A small model copies well and chooses badly: it is shown where to look. Ranking is BM25 over the sentences, without the
//! words that every question has.
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::index::{Bm25, Bm25Parameters, Entry, Filter, for_each_token};

/// Sentences that are looked at, over all passages.
const LIMIT: usize = 512;
/// Bytes of the longest sentence that is shown and can be quoted: what is longer is a table or a listing.
const LONGEST: usize = 400;

/// Words that say nothing about what is asked for.
const FUNCTION_WORDS: [&str; 84] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could", "did", "do",
    "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "into",
    "is", "it", "its", "long", "many", "may", "me", "much", "must", "my", "no", "not", "of", "on", "or",
    "our", "please", "say", "she", "should", "so", "some", "tell", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we", "were", "what", "when",
    "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "know",
];

/// A model file's key that says how the model was taught to answer from passages.
pub const ANSWERS: &str = "cloister.answers";
/// Its value where answers are sentences of the passages, word for word.
pub const QUOTATIONS: &str = "quotations";
/// What a model that answers by quotations says when there is none.
pub const NOT_SAID: &str = "The passage does not say.";

/// Words that say of which kind the answer is, and are seldom in the sentence that gives it.
const ANSWER_KINDS: [&str; 52] = [
    "amount", "call", "called", "city", "color", "colour", "come", "company", "country", "date", "day",
    "days", "firm", "first", "floor", "get", "gets", "give", "given", "gives", "go", "goes", "happen",
    "happened", "happens", "hour", "hours", "kind", "last", "made", "make", "makes", "minutes", "month",
    "months", "name", "names", "number", "part", "people", "person", "place", "room", "sort", "street",
    "take", "takes", "thing", "time", "town", "week", "year",
];

/// A sentence, and which of the texts it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// Index of the text.
    pub of: usize,
    /// The sentence, without the space around it.
    pub text: &'a str,
}

/// The sentences of a text: they end at a line's end, or at `.`, `!`, `?` or `;` before a space.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let ends = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        line[at..].starts_with(char::is_whitespace) && before.is_some_and(|c| ".!?;".contains(c))
    };
    text.lines().flat_map(move |line| {
        let mut rest = line;
        core::iter::from_fn(move || {
            let whole = rest;
            let end = whole.char_indices().map(|(at, _)| at).find(|at| ends(whole, *at));
            let (sentence, tail) = whole.split_at(end.unwrap_or(whole.len()));
            rest = tail.trim_start();
            (!sentence.is_empty()).then_some(sentence)
        })
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
    })
}

/// At most `count` sentences that share words with the question, the closest first.
pub fn closest<'a>(
    question: &str,
    texts: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<Sentence<'a>> {
    let of_text = |(of, text)| sentences(text).map(move |text| Sentence { of, text });
    let all: Vec<Sentence<'a>> = texts.into_iter().enumerate().flat_map(of_text).take(LIMIT).collect();
    let mut index = Bm25::new(LIMIT, Bm25Parameters::default());
    for (id, sentence) in all.iter().enumerate() {
        if sentence.text.len() <= LONGEST {
            // A sentence for which there is no memory is not found: it stands in its passage all the same.
            let _ = index.insert(Entry { id: id as u64, source: 0, time: 0 }, sentence.text);
        }
    }
    let hits = index.search(&asked_for(question), count, &Filter::default());
    hits.iter().filter_map(|hit| all.get(hit.id as usize).copied()).collect()
}

/// Whether a sentence has two thirds of the words that a question asks with.
fn covers(question: &str, sentence: &Sentence<'_>) -> bool {
    let is_kind = |word: &str| ANSWER_KINDS.iter().any(|kind| word.eq_ignore_ascii_case(kind));
    let asked = asked_for(question);
    let asked: BTreeSet<String> = asked.split(' ').filter(|word| !is_kind(word)).flat_map(terms).collect();
    asked.intersection(&terms(sentence.text)).count() * 3 >= asked.len() * 2
}

fn terms(text: &str) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for_each_token(text, |term| {
        terms.insert(String::from(term));
    });
    terms
}

/// What may be answered with a quotation: a grammar (GBNF) whose texts are the closest sentences, with one space before
/// or without, and [`NOT_SAID`]. `None` where no sentence is close.
///
/// Where the closest one has two thirds of the question's words, without those that only say of which kind the answer is,
/// there is no [`NOT_SAID`]: of the held-out questions of that sort the passage answers 97 of 100 (models/README.md).
pub fn quotations(question: &str, closest: &[Sentence<'_>]) -> Option<String> {
    let first = closest.first()?;
    let refusal = Some(NOT_SAID).filter(|_| !covers(question, first));
    let literals: Vec<String> =
        closest.iter().map(|sentence| sentence.text).chain(refusal).map(literal).collect();
    Some(alloc::format!("root ::= \" \"? ({})\n", literals.join(" | ")))
}

fn literal(text: &str) -> String {
    let mut literal = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(if c.is_control() { ' ' } else { c });
    }
    literal.push('"');
    literal
}

/// Whether a word says nothing about what is asked for.
pub fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.iter().any(|function| word.eq_ignore_ascii_case(function))
}

/// The question's words that say what it asks for.
fn asked_for(question: &str) -> String {
    let mut kept = String::new();
    for word in question.split(|c: char| !c.is_alphanumeric() && c != '_') {
        if !is_function_word(word) {
            kept.push_str(word);
            kept.push(' ');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "The museum opened at 3.30 pm in 1962; a ticket costs 5.50 euros. Its head is M. Osei!\nNo dogs.";

    #[test]
    fn sentences_end_where_people_end_them() {
        let all: Vec<_> = sentences(TEXT).collect();
        let expected = [
            "The museum opened at 3.30 pm in 1962;",
            "a ticket costs 5.50 euros.",
            "Its head is M.",
            "Osei!",
            "No dogs.",
        ];
        assert_eq!(all, expected);
        assert_eq!(sentences(" \n\n .  ; ").collect::<Vec<_>>(), [".", ";"]);
        assert_eq!(sentences("").count(), 0);
    }

    #[test]
    fn the_words_of_the_question_choose() {
        let of = |question| closest(question, ["Nothing here.", TEXT], 2);
        assert_eq!(of("What do tickets cost?")[0], Sentence { of: 1, text: "a ticket costs 5.50 euros." });
        assert_eq!(of("When was the museum opened?")[0].text, "The museum opened at 3.30 pm in 1962;");
        assert_eq!(of("Who is it?"), []);
        assert_eq!(of("Where is the giraffe?"), []);
    }

    #[test]
    fn a_sentence_with_the_questions_words_covers_it() {
        let of = |question| covers(question, &closest(question, [TEXT], 1)[0]);
        assert!(of("How much does a ticket cost?"));
        assert!(!of("Which tickets cost nothing for children?"));
    }

    #[test]
    fn quotations_are_close_sentences_and_a_refusal_where_none_covers_the_question() {
        let text = "He said \"no\".\tBye.";
        let of = |question| quotations(question, &closest(question, [text], 2));
        assert_eq!(of("who said no").unwrap(), "root ::= \" \"? (\"He said \\\"no\\\".\")\n");
        let expected = "root ::= \" \"? (\"Bye.\" | \"The passage does not say.\")\n";
        assert_eq!(of("bye bye blue bird").unwrap(), expected);
        assert_eq!(of("where"), None);
    }

    #[test]
    fn listings_and_floods_are_no_evidence() {
        let long = "word ".repeat(200);
        assert_eq!(closest("word", [long.as_str()], 2), []);
        let flood = "word. ".repeat(10_000);
        assert_eq!(closest("word", [flood.as_str()], 2).len(), 2);
    }
}
