// SPDX-License-Identifier: MIT
//! The sentences of passages that are closest to a question, by words alone.
//!
//! A small model copies well and chooses badly: it is shown where to look. Ranking is BM25 over the sentences, without the
//! words that every question has. A sentence that begins with a pronoun has a part of what the sentence before it has, and
//! one with something of the sort that is asked for counts more.
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::index::{Bm25, Bm25Parameters, Entry, Filter, for_each_token};
use crate::sought::{Sought, sought};

/// Sentences that are looked at, over all passages.
const LIMIT: usize = 512;
/// Bytes of the longest sentence that is shown and can be quoted: what is longer is a table or a listing.
const LONGEST: usize = 480;

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

/// Words at a sentence's beginning that point back.
const PRONOUNS: [&str; 14] = [
    "it", "its", "he", "she", "they", "his", "her", "their", "this", "these", "that", "those", "both",
    "there",
];
/// Words with which questions begin.
const ASKING: [&str; 24] = [
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "is", "are", "was", "were", "do",
    "does", "did", "can", "may", "must", "has", "have", "in", "at", "by",
];
/// What a sentence that begins with one has of the score of the sentence before it.
const INHERITED: f32 = 0.7;
/// How much more a sentence counts that has something of the sort that is asked for.
const OF_THE_SORT: f32 = 1.5;

/// A sentence, and which of the texts it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// Index of the text.
    pub of: usize,
    /// The sentence, without the space around it.
    pub text: &'a str,
    /// The sentence before it, where this one begins with a pronoun.
    pub before: Option<&'a str>,
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
    ranked(question, texts, count, 0.0)
}

/// The same; where there are fewer and it is a question, others follow, those with something of the sort that is asked for
/// first. A question about the machine that it is put to is not one about the texts.
pub fn candidates<'a>(
    question: &str,
    texts: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<Sentence<'a>> {
    ranked(question, texts, count, if asks_the_texts(question) { f32::EPSILON } else { 0.0 })
}

fn ranked<'a>(
    question: &str,
    texts: impl IntoIterator<Item = &'a str>,
    count: usize,
    least: f32,
) -> Vec<Sentence<'a>> {
    let all: Vec<Sentence<'a>> =
        texts.into_iter().enumerate().flat_map(|(of, text)| linked(of, text)).take(LIMIT).collect();
    let mut scored: Vec<(f32, Sentence<'a>)> = scores(question, &all, least).into_iter().zip(all).collect();
    scored.retain(|(score, sentence)| *score > 0.0 && sentence.text.len() <= LONGEST);
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    scored.into_iter().take(count).map(|(_, sentence)| sentence).collect()
}

/// The sentences of a text, each with the one that it points back to.
fn linked(of: usize, text: &str) -> impl Iterator<Item = Sentence<'_>> {
    let mut last = None;
    sentences(text).map(move |text| {
        let before = last.replace(text).filter(|last| points_back(text) && last.len() <= LONGEST);
        Sentence { of, text, before }
    })
}

fn points_back(sentence: &str) -> bool {
    let first = sentence.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    PRONOUNS.iter().any(|pronoun| first.eq_ignore_ascii_case(pronoun))
}

/// How close each of the sentences is, and never less than `least`.
fn scores(question: &str, all: &[Sentence<'_>], least: f32) -> Vec<f32> {
    let by_words = word_scores(question, all);
    let sort = sought(question);
    let score = |(at, sentence): (usize, &Sentence<'_>)| {
        let inherited = sentence.before.and(at.checked_sub(1)).map_or(0.0, |before| by_words[before]);
        let score = (by_words[at] + INHERITED * inherited).max(least);
        let fits = |sort: Sought| sort.is_in(sentence.text);
        if sort.is_some_and(fits) { score * OF_THE_SORT } else { score }
    };
    all.iter().enumerate().map(score).collect()
}

/// Whether this is a question, and not one about the machine that it is put to.
fn asks_the_texts(question: &str) -> bool {
    let mut words = question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let is_one_of = |word: &str, of: &[&str]| of.iter().any(|other| word.eq_ignore_ascii_case(other));
    let asks = question.contains('?') || words.peek().is_some_and(|first| is_one_of(first, &ASKING));
    asks && !words.any(|word| is_one_of(word, &["you", "your", "yourself"]))
}

/// BM25 of the sentences; 0 where there is no memory.
fn word_scores(question: &str, all: &[Sentence<'_>]) -> Vec<f32> {
    let mut index = Bm25::new(LIMIT, Bm25Parameters::default());
    for (id, sentence) in all.iter().enumerate() {
        let _ = index.insert(Entry { id: id as u64, source: 0, time: 0 }, sentence.text);
    }
    let mut scores = alloc::vec![0.0; all.len()];
    for hit in index.search(&asked_for(question), all.len(), &Filter::default()) {
        if let Some(score) = scores.get_mut(hit.id as usize) {
            *score = hit.score;
        }
    }
    scores
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
        let of = |question| candidates(question, ["Nothing here.", TEXT], 2);
        assert_eq!(
            of("What do tickets cost?")[0],
            Sentence { of: 1, text: "a ticket costs 5.50 euros.", before: None }
        );
        assert_eq!(of("When was the museum opened?")[0].text, "The museum opened at 3.30 pm in 1962;");
        assert_eq!(of("Hello"), []);
        assert_eq!(of("How are you?"), []);
        assert_eq!(of("What eats a giraffe?").len(), 2, "nothing is close, but it is a question");
        assert_eq!(closest("What eats a giraffe?", [TEXT], 2), []);
    }

    #[test]
    fn a_pronoun_points_back_and_the_sort_counts() {
        let text = "The harp belongs to Ada. It costs 40 euros. The flute is brown. It costs 20 euros.";
        let of = |question| candidates(question, [text], 3);
        let price = of("What is the price of the flute?");
        assert_eq!((price[0].text, price[0].before), ("It costs 20 euros.", Some("The flute is brown.")));
        assert_eq!(of("Who owns the harp?")[0].text, "The harp belongs to Ada.");
        assert_eq!(
            of("How long is the journey?")[0].text,
            "It costs 40 euros.",
            "of the sort, though no word is shared"
        );
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
        assert_eq!(of("hello"), None);
    }

    #[test]
    fn listings_and_floods_are_no_evidence() {
        let long = "word ".repeat(200);
        assert_eq!(closest("word", [long.as_str()], 2), []);
        let flood = "word. ".repeat(10_000);
        assert_eq!(closest("word", [flood.as_str()], 2).len(), 2);
    }
}
