// SPDX-License-Identifier: MIT
//! Free texts for arguments of commands, from random words: the model must copy them, and cannot know them by heart.

use crate::made::{capital, one};
use crate::names::invented;
use crate::slots::Slots;
use crate::source::Split;
use anyhow::Result;

/// Between the words of a sentence.
const LINKS: [&str; 16] =
    ["", "", "", "", "", "the", "of", "in the", "and", "is", "a", "to", "for", "with", "on the", "not"];

/// A text of this kind; `None` for kinds that are not free, and now and then for those that are.
///
/// # Errors
/// When a list is missing.
pub fn text(slots: &Slots, kind: &str, rng: &mut fastrand::Rng) -> Result<Option<String>> {
    if rng.u8(..10) < 3 {
        return Ok(None);
    }
    Ok(match kind {
        "topic" => Some(topic(slots, rng)?),
        "path" => Some(path(slots, rng)),
        "model" => Some(model(slots, rng)),
        "system" => Some(system(slots, rng)),
        "answer" | "note" => {
            let count = rng.usize(1..7);
            let text = sentence(count, slots, rng)?;
            Some(if rng.u8(..4) == 0 { capital(&text) } else { text })
        }
        "stopword" => Some(stop(slots, rng)),
        "factsubject" => Some(subject(slots, rng)?),
        "factobject_" => Some(object(slots, rng)?),
        _ => None,
    })
}

fn word<'a>(slots: &'a Slots, rng: &mut fastrand::Rng) -> &'a str {
    slots.words.plain(rng)
}

/// `count` words, with small words, names and values among them.
fn sentence(count: usize, slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    const KINDS: [&str; 8] = ["person", "city", "time", "date", "money", "quantity", "room", "first"];
    let mut parts = Vec::new();
    for _ in 0..count {
        parts.push(one(&LINKS, rng).to_string());
        parts.push(match rng.u8(..6) {
            0 => slots.value(one(&KINDS, rng), Split::Train, rng)?,
            _ => word(slots, rng).to_string(),
        });
    }
    parts.retain(|part| !part.is_empty());
    Ok(parts.join(" "))
}

fn topic(slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    let (a, b) = (word(slots, rng).to_string(), word(slots, rng));
    Ok(match rng.u8(..10) {
        0 | 1 => a,
        2 => format!("{a} {b}"),
        3 => format!("the {a} {b}"),
        4 => format!("the {a}"),
        5 => format!("my {a}"),
        6 => format!("{a} and {b}"),
        7 => format!("{a} in {}", slots.value("city", Split::Train, rng)?),
        8 => slots.value(one(&["person", "city", "project", "machine"], rng), Split::Train, rng)?,
        _ => format!("the {a} of the {b}"),
    })
}

fn path(slots: &Slots, rng: &mut fastrand::Rng) -> String {
    let folder = match rng.u8(..3) {
        0 => format!("{}/", word(slots, rng)),
        1 if rng.bool() => format!("/docs/{}/", word(slots, rng)),
        _ => String::new(),
    };
    let name = match rng.u8(..5) {
        0 => format!("{}-{}", word(slots, rng), word(slots, rng)),
        1 => format!("{}_{}", word(slots, rng), rng.u32(1..2030)),
        2 => format!("{}{}", word(slots, rng), rng.u32(1..100)),
        3 => capital(word(slots, rng)),
        _ => word(slots, rng).to_string(),
    };
    let ending =
        one(&["md", "txt", "md", "txt", "rs", "c", "html", "csv", "log", "pdf", "toml", "json"], rng);
    format!("{folder}{name}.{ending}")
}

fn model(slots: &Slots, rng: &mut fastrand::Rng) -> String {
    let family = match rng.u8(..4) {
        0 => capital(word(slots, rng)),
        1 => format!("{}-{}", word(slots, rng), rng.u32(1..5)),
        2 => invented(rng).to_lowercase(),
        _ => word(slots, rng).to_string(),
    };
    let size = one(&["", "", "-1b", "-3b", "-7b", "-0.6b", "-13b", "-270m", "-mini", "-v2", "-large"], rng);
    let kind =
        one(&["", "", "-q8_0", "-q4_k_m", "-Q4_K_M", "-q5_0", "-f16", "-instruct", "-it", "-chat"], rng);
    format!("{family}{size}{kind}{}", one(&["", ".gguf", ".gguf"], rng))
}

fn system(slots: &Slots, rng: &mut fastrand::Rng) -> String {
    let (a, b) = (word(slots, rng), word(slots, rng));
    let end = one(&["", ".", "."], rng);
    match rng.u8(..8) {
        0 => format!("You are a {a} {b}{end}"),
        1 => format!("You are an expert in {a} and {b}{end}"),
        2 => format!("Always answer with {a}{end}"),
        3 => format!("Never mention {a} or {b}{end}"),
        4 => format!("Be {a} and {b}{end}"),
        5 => format!("You help people with {a} {b}{end}"),
        6 => format!("Answer as a {a} would, in {} words{end}", rng.u32(2..90)),
        _ => format!("{} {b} {a}{end}", capital(word(slots, rng))),
    }
}

fn stop(slots: &Slots, rng: &mut fastrand::Rng) -> String {
    let word = word(slots, rng);
    match rng.u8(..8) {
        6 => letters(rng),
        7 => invented(rng),
        0 => word.to_uppercase(),
        1 => format!("{}:", capital(word)),
        2 => format!("<{word}>"),
        3 => format!("[{}]", word.to_uppercase()),
        4 => capital(word),
        _ => word.to_string(),
    }
}

/// Two to five capitals that are no word.
fn letters(rng: &mut fastrand::Rng) -> String {
    (0..rng.usize(2..6)).map(|_| rng.char('A'..='Z')).collect()
}

fn subject(slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    let (a, b) = (word(slots, rng), word(slots, rng));
    Ok(match rng.u8(..6) {
        0 | 1 => slots.value("person", Split::Train, rng)?,
        2 => format!("my {a}"),
        3 => format!("the {a} {b}"),
        4 => slots.value("company", Split::Train, rng)?,
        _ => format!("the {a}"),
    })
}

fn object(slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    const KINDS: [&str; 10] =
        ["person", "city", "time", "date", "money", "quantity", "room", "colour", "company", "weekday"];
    let (a, b) = (word(slots, rng), word(slots, rng));
    Ok(match rng.u8(..6) {
        0 => a.to_string(),
        1 => format!("the {a}"),
        2 => format!("a {a} {b}"),
        _ => slots.value(one(&KINDS, rng), Split::Train, rng)?,
    })
}
