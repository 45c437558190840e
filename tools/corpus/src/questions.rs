// SPDX-License-Identifier: MIT
//! Conversations about a passage, as the system asks a model about passages.

use crate::generate::{LEARNT, Written};
use crate::manual::Page;
use crate::output::{Conversation, about, asked, stating};
use crate::reading::{Asked, Reading, place, score};
use crate::source::Split;
use crate::substitute::substituted;
use anyhow::Result;
use retrieval::prompt::{Form, Material};

/// Conversations about a passage, one in five with other words in it: mostly each question by itself with the sentences
/// that are closest to it, as the system asks a model that quotes; else one with the whole passage.
///
/// # Errors
/// When a list is missing.
pub fn conversations(
    read: &Written,
    mut reading: Reading,
    page: Option<&Page>,
    rng: &mut fastrand::Rng,
) -> Result<Vec<Conversation>> {
    if page.is_none() && rng.u8(..5) == 0 {
        substituted(&mut reading, &read.slots.words, rng);
    }
    if rng.u8(..8) > 0 {
        return alone(read, &reading, rng);
    }
    Ok(vec![conversation(read, reading, page, rng)?])
}

/// Each question by itself with the sentences closest to it, sometimes from another passage too.
fn alone(read: &Written, reading: &Reading, rng: &mut fastrand::Rng) -> Result<Vec<Conversation>> {
    let other = match rng.u8(..6) {
        0 => read.facts.reading(LEARNT, 0, &read.slots, rng)?.passage,
        _ => String::new(),
    };
    let mut all = Vec::new();
    for question in &reading.questions {
        let (passage, question) = match rng.u8(..6) {
            0 => silent(&reading.passage, question),
            _ => (reading.passage.clone(), question.clone()),
        };
        let mut texts = [passage.as_str(), other.as_str()];
        rng.shuffle(&mut texts);
        let materials = texts.map(|text| Material { source: "", heading: "", score: 1.0, text });
        let text = asked(&question.0, &materials, Form::Sentences);
        if quotable(&question, &text) {
            let one = Reading { passage: String::new(), questions: vec![question] };
            all.push(about(|_| text.clone(), &one, rng));
        }
    }
    Ok(all)
}

/// The passage without the sentence that answers: then it does not say.
fn silent(passage: &str, question: &Asked) -> (String, Asked) {
    let (text, sentence, fact) = question;
    let rest = sentence.as_ref().map(|sentence| passage.replacen(sentence.as_str(), "", 1));
    match rest.filter(|rest| !rest.contains(fact.as_str())) {
        Some(rest) => (rest, (text.clone(), None, String::new())),
        None => (passage.to_string(), question.clone()),
    }
}

/// Whether the sentence that answers is among those shown: only what is shown can be quoted.
fn quotable((_, sentence, fact): &Asked, shown: &str) -> bool {
    let sentence = sentence.as_ref().map(|text| stating(text, fact));
    !shown.is_empty() && sentence.is_none_or(|sentence| shown.contains(sentence))
}

/// A conversation about a passage: mostly as the system quotes passages, sometimes with another one beside it, and
/// sometimes bare, as a person may paste it. Most end after one question, as most do on the device, where every question
/// brings passages of its own.
fn conversation(
    read: &Written,
    mut reading: Reading,
    page: Option<&Page>,
    rng: &mut fastrand::Rng,
) -> Result<Conversation> {
    if rng.u8(..10) < 7 {
        reading.questions.truncate(1);
    }
    if page.is_none() && rng.u8(..5) == 0 {
        return Ok(about(|question| format!("{}\n{question}", reading.passage), &reading, rng));
    }
    let (source, heading) = match page {
        Some(page) => (page.source.clone(), page.heading.clone()),
        None if rng.u8(..8) == 0 => ("passage".to_string(), String::new()),
        None => place(Split::Train, &read.slots, rng)?,
    };
    let mut materials = vec![(source, heading, score(rng), reading.passage.clone())];
    if rng.u8(..6) == 0 {
        let other = read.facts.reading(LEARNT, 0, &read.slots, rng)?;
        let (source, heading) = place(Split::Train, &read.slots, rng)?;
        materials.insert(rng.usize(..2), (source, heading, score(rng), other.passage));
    }
    let materials: Vec<Material<'_>> = materials
        .iter()
        .map(|(source, heading, score, text)| Material { source, heading, score: *score, text })
        .collect();
    Ok(about(|question| asked(question, &materials, Form::Passages), &reading, rng))
}
