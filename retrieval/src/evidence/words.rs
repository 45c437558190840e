// SPDX-License-Identifier: MIT
//! Words of questions: those that say what is asked for, and those that do not.
use alloc::collections::BTreeSet;
use alloc::string::String;

use crate::index::for_each_token;

/// Words that say nothing about what is asked for.
const FUNCTION_WORDS: [&str; 84] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could", "did", "do",
    "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "into",
    "is", "it", "its", "long", "many", "may", "me", "much", "must", "my", "no", "not", "of", "on", "or",
    "our", "please", "say", "she", "should", "so", "some", "tell", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we", "were", "what", "when",
    "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "know",
];

/// Words that say of which kind the answer is, and are seldom in the sentence that gives it.
const ANSWER_KINDS: [&str; 52] = [
    "amount", "call", "called", "city", "color", "colour", "come", "company", "country", "date", "day",
    "days", "firm", "first", "floor", "get", "gets", "give", "given", "gives", "go", "goes", "happen",
    "happened", "happens", "hour", "hours", "kind", "last", "made", "make", "makes", "minutes", "month",
    "months", "name", "names", "number", "part", "people", "person", "place", "room", "sort", "street",
    "take", "takes", "thing", "time", "town", "week", "year",
];

/// Words with which questions begin.
const ASKING: [&str; 24] = [
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "is", "are", "was", "were", "do",
    "does", "did", "can", "may", "must", "has", "have", "in", "at", "by",
];

/// Whether a word says nothing about what is asked for.
pub fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.iter().any(|function| word.eq_ignore_ascii_case(function))
}

/// The question's words that say what it asks for.
pub(super) fn asked_for(question: &str) -> String {
    let mut kept = String::new();
    for word in question.split(|c: char| !c.is_alphanumeric() && c != '_') {
        if !is_function_word(word) {
            kept.push_str(word);
            kept.push(' ');
        }
    }
    kept
}

/// Whether this is a question, and not one about the machine that it is put to.
pub(super) fn asks_the_texts(question: &str) -> bool {
    let mut words = question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let is_one_of = |word: &str, of: &[&str]| of.iter().any(|other| word.eq_ignore_ascii_case(other));
    let asks = question.contains('?') || words.peek().is_some_and(|first| is_one_of(first, &ASKING));
    asks && !words.any(|word| is_one_of(word, &["you", "your", "yourself"]))
}

/// The terms of a text, as the index has them.
fn terms(text: &str) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for_each_token(text, |term| {
        terms.insert(String::from(term));
    });
    terms
}

/// Whether a word says of which kind the answer is.
fn is_answer_kind(word: &str) -> bool {
    ANSWER_KINDS.iter().any(|kind| word.eq_ignore_ascii_case(kind))
}

/// The terms that a question asks with.
pub(super) fn asked_terms(question: &str) -> BTreeSet<String> {
    asked_for(question).split(' ').filter(|word| !is_answer_kind(word)).flat_map(terms).collect()
}

/// Whether a sentence has two thirds of the terms that a question asks with.
pub(super) fn covers(asked: &BTreeSet<String>, sentence: &str) -> bool {
    asked.intersection(&terms(sentence)).count() * 3 >= asked.len() * 2
}
