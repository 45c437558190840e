// SPDX-License-Identifier: MIT
//! Which sentences are close to a question.
use alloc::vec::Vec;

use super::words::{asked_for, asked_terms, asks_the_texts, covers};
use super::{LONGEST, Sentence, linked};
use crate::index::{Bm25, Bm25Parameters, Entry, Filter};
use crate::sought::{Sought, sought};

/// Sentences that are looked at, over all passages.
const LIMIT: usize = 512;
/// What a sentence that begins with a pronoun has of the score of the sentence before it, where that one has not all that is
/// asked with.
const INHERITED: f32 = 0.7;
/// What is not half as close as the closest sentence is left out: where it is answered at all, the closest one answers 98 of
/// 100 such questions (ADR 0028), and a small model is only led astray.
const NEAR: f32 = 0.5;
/// How much more a sentence counts that has something of the sort that is asked for.
const OF_THE_SORT: f32 = 1.5;

/// At most `count` sentences that share words with the question, the closest first.
pub fn closest<'a>(
    question: &str,
    texts: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<Sentence<'a>> {
    ranked(question, texts, count, 0.0)
}

/// The same; where none shares words and it is a question, others are taken, those with something of the sort that is asked
/// for first. A question about the machine that it is put to is not one about the texts.
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
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.retain(|(score, _)| *score >= best * NEAR);
    scored.into_iter().take(count).map(|(_, sentence)| sentence).collect()
}

/// How close each of the sentences is, and never less than `least`.
fn scores(question: &str, all: &[Sentence<'_>], least: f32) -> Vec<f32> {
    let by_words = word_scores(question, all);
    let (sort, asked) = (sought(question), asked_terms(question));
    let score = |(at, sentence): (usize, &Sentence<'_>)| {
        let incomplete = sentence.before.filter(|before| !covers(&asked, before));
        let inherited = incomplete.and(at.checked_sub(1)).map_or(0.0, |before| by_words[before]);
        let score = (by_words[at] + INHERITED * inherited).max(least);
        let fits = |sort: Sought| sort.is_in(sentence.text);
        if sort.is_some_and(fits) { score * OF_THE_SORT } else { score }
    };
    all.iter().enumerate().map(score).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "The museum opened at 3.30 pm in 1962; a ticket costs 5.50 euros. Its head is M. Osei!\nNo dogs.";

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
    fn listings_and_floods_are_no_evidence() {
        let long = "word ".repeat(200);
        assert_eq!(closest("word", [long.as_str()], 2), []);
        let flood = "word. ".repeat(10_000);
        assert_eq!(closest("word", [flood.as_str()], 2).len(), 2);
    }
}
