// SPDX-License-Identifier: MIT
//! Short practice for what all else rests on: repeating a text word for word, and finding the sentence about a thing.
//!
//! The words are drawn at random, so that nothing but copying helps.

use crate::made::{capital, one};
use crate::output::{Conversation, Message};
use crate::slots::Slots;
use crate::words::mixed;
use anyhow::Result;

const ASKED: [&str; 8] =
    ["Repeat: ", "Say: ", "Repeat after me: ", "Copy this: ", "Write: ", "Say exactly: ", "Echo ", "Type "];
/// Between words; mostly nothing but a space.
const GAPS: [&str; 16] =
    [" ", " ", " ", " ", " ", " ", " ", " ", " of ", ", ", " and ", " the ", " in ", " to ", " - ", "/"];
const RELATIONS: [&str; 16] = [
    "is",
    "has",
    "is in",
    "likes",
    "needs",
    "means",
    "comes from",
    "costs",
    "was",
    "and the",
    "with",
    "uses",
    "at",
    "makes",
    "knows",
    "of",
];
const QUESTIONS: [&str; 8] = [
    "What about {}?",
    "And {}?",
    "{}?",
    "What is said about {}?",
    "Which sentence names {}?",
    "Where is {} mentioned?",
    "Find {}.",
    "Who or what is {}?",
];

/// `count` words with something between them.
fn words(count: usize, slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    let mut text = mixed(slots, rng)?;
    for _ in 1..count {
        text += one(&GAPS, rng);
        text += &mixed(slots, rng)?;
    }
    Ok(text)
}

/// Words without sense that are to be repeated.
///
/// # Errors
/// When a list is missing.
pub fn nonsense(slots: &Slots, rng: &mut fastrand::Rng) -> Result<Conversation> {
    let mut messages = Vec::new();
    for _ in 0..rng.usize(1..3) {
        let count = rng.usize(2..15);
        let text = capital(&words(count, slots, rng)?) + one(&["", ".", "!"], rng);
        messages.push(Message::user(&format!("{}{text}", one(&ASKED, rng))));
        messages.push(Message::assistant(&text));
    }
    Ok(Conversation { messages })
}

/// A sentence without sense, and words of it by which it can be found.
fn sentence(slots: &Slots, rng: &mut fastrand::Rng) -> Result<(String, Vec<String>)> {
    let keys: Vec<String> = (0..rng.usize(1..4)).map(|_| mixed(slots, rng)).collect::<Result<_>>()?;
    let mut text = String::new();
    for key in &keys {
        let count = rng.usize(1..3);
        let before = if rng.bool() { words(count, slots, rng)? } else { String::new() };
        text = format!("{text} {before} {key} {}", one(&RELATIONS, rng));
    }
    let end = words(rng.usize(1..4), slots, rng)?;
    let text = format!("{text} {end}.").split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((capital(&text), keys))
}

/// Two to six sentences, and questions about what stands in some of them.
///
/// # Errors
/// When a list is missing.
pub fn recall(slots: &Slots, rng: &mut fastrand::Rng) -> Result<Conversation> {
    let count = rng.usize(2..7);
    let sentences: Vec<(String, Vec<String>)> =
        (0..count).map(|_| sentence(slots, rng)).collect::<Result<_>>()?;
    let passage: Vec<&str> = sentences.iter().map(|(sentence, _)| sentence.as_str()).collect();
    let mut before = passage.join(" ") + "\n";
    let mut messages = Vec::new();
    for _ in 0..4 {
        let (sentence, keys) = &sentences[rng.usize(..sentences.len())];
        let key = &keys[rng.usize(..keys.len())];
        if sentences.iter().filter(|(other, _)| other.contains(key.as_str())).count() > 1 {
            continue;
        }
        messages.push(Message::user(&(before + &one(&QUESTIONS, rng).replace("{}", key))));
        messages.push(Message::assistant(sentence));
        before = String::new();
    }
    match messages.is_empty() {
        true => nonsense(slots, rng),
        false => Ok(Conversation { messages }),
    }
}

/// Two to seven sentences of a few short words, and many questions of one word: each is answered by the sentence with
/// that word. Nothing teaches as many choices of a sentence with as few tokens.
///
/// # Errors
/// When a list is missing.
pub fn lookup(slots: &Slots, rng: &mut fastrand::Rng) -> Result<Conversation> {
    const ASKED: [&str; 6] = ["{}?", "And {}?", "{}", "What about {}?", "Find {}.", "Where is {}?"];
    let count = rng.usize(2..8);
    let (mut used, mut sentences): (Vec<String>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let words = (0..rng.usize(3..7)).map(|_| fresh(&mut used, slots, rng)).collect();
        sentences.push(words);
    }
    let told: Vec<String> = sentences.iter().map(|words| capital(&words.join(" ")) + ".").collect();
    let form = if rng.bool() { Some(one(&ASKED, rng)) } else { None };
    let mut before = told.join(" ") + "\n";
    let mut messages = Vec::new();
    for _ in 0..3 * count {
        let at = rng.usize(..count);
        let word = &sentences[at][rng.usize(..sentences[at].len())];
        let asked = form.unwrap_or_else(|| one(&ASKED, rng)).replace("{}", word);
        messages.push(Message::user(&(before + &asked)));
        messages.push(Message::assistant(&told[at]));
        before = String::new();
    }
    Ok(Conversation { messages })
}

/// A short word that is not used yet.
fn fresh(used: &mut Vec<String>, slots: &Slots, rng: &mut fastrand::Rng) -> String {
    loop {
        let word = slots.words.plain(rng);
        if word.len() < 6 && !used.iter().any(|other| other == word) {
            used.push(word.to_string());
            return word.to_string();
        }
    }
}
