// SPDX-License-Identifier: MIT
//! The sentences of passages that are closest to a question, by words alone.
//!
//! A small model copies well and chooses badly: it is shown where to look. Ranking is BM25 over the sentences, without the
//! words that every question has. A sentence that begins with a pronoun has a part of what the sentence before it has, and
//! one with something of the sort that is asked for counts more.
mod quotation;
mod rank;
mod words;

pub use quotation::{ANSWERS, NOT_SAID, QUOTATIONS, quotations};
pub use rank::{candidates, closest};
pub use words::is_function_word;

/// Bytes of the longest sentence that is shown and can be quoted: what is longer is a table or a listing.
const LONGEST: usize = 480;

/// What stands before a name with a point behind it.
const TITLES: [&str; 8] = ["Dr", "Mr", "Mrs", "Ms", "Prof", "St", "Mt", "No"];
/// Words at a sentence's beginning that point back.
const PRONOUNS: [&str; 14] = [
    "it", "its", "he", "she", "they", "his", "her", "their", "this", "these", "that", "those", "both",
    "there",
];
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

/// The sentences of a text: they end at a line's end, or at `.`, `!`, `?` or `;` before a space, though not behind an
/// initial or a title.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let ends = |line: &str, at: usize| {
        let before = &line[..at];
        line[at..].starts_with(char::is_whitespace)
            && before.ends_with(['.', '!', '?', ';'])
            && !is_abbreviated(before)
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

/// Whether a text ends with a title or an initial and its point: "Dr.", "J.".
fn is_abbreviated(text: &str) -> bool {
    let Some(word) = text.strip_suffix('.').and_then(|text| text.split_whitespace().next_back()) else {
        return false;
    };
    let mut letters = word.chars();
    let is_initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    is_initial || TITLES.contains(&word)
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn sentences_end_where_people_end_them() {
        let text = "The museum opened at 3.30 pm in 1962; a ticket costs 5.50 euros. Its head is Dr. M. Osei!\nNo dogs.";
        let all: Vec<_> = sentences(text).collect();
        let expected = [
            "The museum opened at 3.30 pm in 1962;",
            "a ticket costs 5.50 euros.",
            "Its head is Dr. M. Osei!",
            "No dogs.",
        ];
        assert_eq!(all, expected);
        assert_eq!(sentences(" \n\n .  ; ").collect::<Vec<_>>(), [".", ";"]);
        assert_eq!(sentences("").count(), 0);
    }
}
