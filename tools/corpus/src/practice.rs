// SPDX-License-Identifier: MIT
//! Short practice for what all else rests on: repeating a text word for word, and finding the sentence about a thing.
//!
//! The words are drawn at random, so that nothing but copying helps.

use crate::made::{capital, invented, one};
use crate::output::{Conversation, Message};
use crate::slots::Slots;
use crate::source::Split;
use anyhow::Result;

const ASKED: [&str; 6] =
    ["Repeat: ", "Say: ", "Repeat after me: ", "Copy this: ", "Write: ", "Say exactly: "];
const WORDS: [&str; 12] = [
    "first",
    "last",
    "city",
    "food",
    "goods",
    "animal",
    "colour",
    "job",
    "number",
    "code",
    "machinekind",
    "weekday",
];
const RELATIONS: [&str; 8] = ["is", "has", "is in", "likes", "needs", "means", "comes from", "costs"];
const QUESTIONS: [&str; 4] = ["What about {}?", "And {}?", "{}?", "What is said about {}?"];

fn word(slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    match rng.u8(..3) {
        0 => Ok(invented(rng)),
        _ => slots.value(one(&WORDS, rng), Split::Train, rng),
    }
}

fn words(count: usize, slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    let words: Result<Vec<String>> = (0..count).map(|_| word(slots, rng)).collect();
    Ok(words?.join(" "))
}

/// Words without sense that are to be repeated.
///
/// # Errors
/// When a list is missing.
pub fn nonsense(slots: &Slots, rng: &mut fastrand::Rng) -> Result<Conversation> {
    let count = rng.usize(2..9);
    let text = capital(&words(count, slots, rng)?) + one(&["", ".", "!"], rng);
    Ok(Conversation {
        messages: vec![Message::user(&format!("{}{text}", one(&ASKED, rng))), Message::assistant(&text)],
    })
}

/// Two to six short sentences, and questions about what some of them begin with.
///
/// # Errors
/// When a list is missing.
pub fn recall(slots: &Slots, rng: &mut fastrand::Rng) -> Result<Conversation> {
    let mut sentences: Vec<(String, String)> = Vec::new();
    for _ in 0..rng.usize(2..7) {
        let thing = if rng.bool() { invented(rng) } else { capital(&words(1, slots, rng)?) };
        let count = rng.usize(1..3);
        let sentence = format!("{thing} {} {}.", one(&RELATIONS, rng), words(count, slots, rng)?);
        if sentences.iter().all(|(other, _)| *other != thing) {
            sentences.push((thing, sentence));
        }
    }
    let passage: Vec<&str> = sentences.iter().map(|(_, sentence)| sentence.as_str()).collect();
    let mut before = passage.join(" ") + "\n";
    let mut messages = Vec::new();
    for _ in 0..3 {
        let (thing, sentence) = &sentences[rng.usize(..sentences.len())];
        messages.push(Message::user(&(before + &one(&QUESTIONS, rng).replace("{}", thing))));
        messages.push(Message::assistant(sentence));
        before = String::new();
    }
    Ok(Conversation { messages })
}
