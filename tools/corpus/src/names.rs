// SPDX-License-Identifier: MIT
//! Values that have a name: persons, places, things; listed, or put together so that they exist nowhere.

use crate::made::{capital, letter, one};
use crate::slots::Slots;
use crate::source::Split;
use anyhow::Result;

/// A word that nobody uses: two or three syllables.
pub fn invented(rng: &mut fastrand::Rng) -> String {
    const HEADS: [&str; 24] = [
        "b", "br", "d", "dr", "f", "g", "gr", "h", "k", "kr", "l", "m", "n", "p", "pl", "r", "s", "st", "t",
        "tr", "v", "w", "z", "sh",
    ];
    const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ea", "o"];
    const TAILS: [&str; 12] = ["", "n", "r", "l", "s", "k", "m", "x", "nd", "rt", "ll", "th"];
    let mut word = String::new();
    for _ in 0..rng.usize(2..4) {
        word.push_str(one(&HEADS, rng));
        word.push_str(one(&VOWELS, rng));
    }
    word.push_str(one(&TAILS, rng));
    capital(&word)
}

/// The name of a place or a family as it might exist: "Brackwater", "Lindfield".
pub fn compound(rng: &mut fastrand::Rng) -> String {
    const HEADS: [&str; 48] = [
        "Ash", "Brack", "Ald", "Wex", "Thorn", "Oak", "Mill", "Stan", "Hart", "King", "Red", "Black", "Win",
        "El", "Bur", "Car", "Dun", "Glen", "Kel", "Lang", "Mar", "Nor", "Pen", "Ros", "Sel", "Tor", "Wal",
        "York", "Lind", "Berg", "Holm", "Sten", "Gold", "Whit", "Har", "Rob", "Wil", "Ols", "Hend", "Fair",
        "Green", "Silver", "Ham", "Clay", "Brom", "Chest", "Wood", "Stock",
    ];
    const TAILS: [&str; 40] = [
        "ford", "water", "ton", "ham", "by", "haven", "bridge", "field", "mouth", "wick", "dale", "bury",
        "stead", "port", "burg", "stadt", "vik", "berg", "ville", "minster", "worth", "gate", "ley", "moor",
        "qvist", "man", "son", "sen", "er", "mann", "well", "land", "ick", "ini", "ez", "es", "strom", "ov",
        "ova", "ski",
    ];
    one(&HEADS, rng).to_string() + one(&TAILS, rng)
}

/// A name that is made.
fn unknown(rng: &mut fastrand::Rng) -> String {
    if rng.bool() { invented(rng) } else { compound(rng) }
}

/// A value of a kind that has a name.
pub fn name(slots: &Slots, kind: &str, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
    let invent = rng.u8(..10) < 4;
    let list = |kind: &str, rng: &mut fastrand::Rng| slots.listed(kind, split, rng);
    Ok(match kind {
        "person" => {
            let last = if invent { unknown(rng) } else { list("last", rng)? };
            let first = if rng.u8(..8) == 0 { invented(rng) } else { list("first", rng)? };
            format!("{first} {last}")
        }
        "company" if invent => {
            format!("{} {}", unknown(rng), one(&["Ltd", "Works", "Systems", "Foods", "Labs"], rng))
        }
        "drug" if invent => invented(rng),
        "project" | "country" | "city" if invent => unknown(rng),
        "any" => anything(slots, split, rng)?,
        "counted" => format!("{} {}", value(slots, "quantity", split, rng)?, list("items", rng)?),
        "town" => compound(rng),
        "name" => unknown(rng),
        "project" => format!("{}{}", one(&["project ", ""], rng), list("project", rng)?),
        "ship" if invent => format!("the {}", invented(rng)),
        "river" if invent => format!("the {}", invented(rng)),
        "machine" => numbered(&list("machinekind", rng)?, invent, rng),
        "sensor" => numbered(&list("sensorkind", rng)?, invent, rng),
        "object" => match rng.u8(..3) {
            0 => format!("the {}", list("objectkind", rng)?),
            1 => format!("the {} {}", list("adjective", rng)?, list("objectkind", rng)?),
            _ => numbered(&list("objectkind", rng)?, invent, rng),
        },
        "room" => match rng.u8(..3) {
            0 => list("roomname", rng)?,
            1 => format!("{} {}", list("roomkind", rng)?, rng.u32(1..400)),
            _ => format!("{} {}{}", list("roomkind", rng)?, letter(rng), rng.u32(1..40)),
        },
        "host" => match rng.u8(..3) {
            0 => list("host", rng)?,
            1 => format!("{}{}", list("host", rng)?, rng.u32(1..30)),
            _ => list("hostkind", rng)?.to_lowercase() + " " + &list("host", rng)?,
        },
        "shop" => list("shopkind", rng)?.to_lowercase() + &street_of(slots, split, rng)?,
        "street" => format!("{} {}", list("streetname", rng)?, rng.u32(1..120)),
        "book" => format!("\"{}\"", list("bookname", rng)?),
        "model" => model(rng),
        "note" => note(slots, split, rng)?,
        "factsubject" if rng.u8(..3) == 0 => value(slots, "person", split, rng)?,
        "factsubject" => list("factname", rng)?,
        "factrelation_" => list("factrelation", rng)?,
        "factobject_" if rng.u8(..3) == 0 => value(slots, "city", split, rng)?,
        "factobject_" => list("factobject", rng)?,
        _ => list(kind, rng)?,
    })
}

fn value(slots: &Slots, kind: &str, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
    slots.value(kind, split, rng)
}

/// A name of any sort, or a thing of random words.
fn anything(slots: &Slots, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
    const NAMED: [&str; 16] = [
        "person", "company", "town", "machine", "object", "host", "ship", "project", "book", "drug",
        "sensor", "shop", "country", "room", "river", "event",
    ];
    const KINDS: [&str; 24] = [
        "Museum",
        "Bridge",
        "Tower",
        "Castle",
        "Institute",
        "Hotel",
        "Theatre",
        "Lake",
        "Park",
        "School",
        "Foundation",
        "Library",
        "Festival",
        "Prize",
        "Island",
        "Hospital",
        "Market",
        "Station",
        "Church",
        "Group",
        "Clinic",
        "Mill",
        "Valley",
        "Award",
    ];
    let words = &slots.words;
    Ok(match rng.u8(..10) {
        0..4 => value(slots, one(&NAMED, rng), split, rng)?,
        4 | 5 => format!("the {} {}", unknown(rng), one(&KINDS, rng)),
        6 => format!("the {}", words.plain(rng)),
        7 => format!("the {} {}", words.plain(rng), words.plain(rng)),
        8 => format!("the new {}", words.plain(rng)),
        _ => unknown(rng),
    })
}

/// Something that a person may want to be noted.
fn note(slots: &Slots, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
    let value = |kind: &str, rng: &mut fastrand::Rng| slots.value(kind, split, rng);
    Ok(match rng.u8(..6) {
        0 => format!("{} lives in {}", value("person", rng)?, value("city", rng)?),
        1 => format!("the code of {} is {}", value("room", rng)?, value("code", rng)?),
        2 => format!("{} runs at {}", value("machine", rng)?, value("pressure", rng)?),
        3 => format!("{} starts at {}", value("event", rng)?, value("time", rng)?),
        4 => format!("call {} on {}", value("person", rng)?, value("weekday", rng)?),
        _ => format!(
            "{} {} {}",
            value("factname", rng)?,
            value("factrelation", rng)?,
            value("factobject", rng)?
        ),
    })
}

/// Most shops have no street in their name.
fn street_of(slots: &Slots, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
    match rng.u8(..5) {
        0 => Ok(format!(" in {}", slots.listed("streetname", split, rng)?)),
        _ => Ok(String::new()),
    }
}

/// "pump 7", "pump B2", "the pump Kalor".
fn numbered(kind: &str, invent: bool, rng: &mut fastrand::Rng) -> String {
    match rng.u8(..4) {
        0 => format!("{kind} {}{}", letter(rng), rng.u32(1..30)),
        1 if invent => format!("the {kind} {}", invented(rng)),
        _ => format!("{kind} {}", rng.u32(1..100)),
    }
}

/// A model's file name.
fn model(rng: &mut fastrand::Rng) -> String {
    const FAMILIES: [&str; 18] = [
        "tinyllama",
        "smollm",
        "smollm2",
        "llama3",
        "llama-3.2",
        "mistral",
        "qwen2",
        "qwen2.5",
        "qwen3",
        "phi2",
        "phi3-mini",
        "gemma",
        "gemma2",
        "gemma-3",
        "stories",
        "cloister-base",
        "minilm",
        "tiny",
    ];
    let family = match rng.u8(..4) {
        0 => invented(rng).to_lowercase(),
        _ => one(&FAMILIES, rng).to_string(),
    };
    let size = one(&["", "", "-135m", "-1b", "-3b", "-7b", "-260k", "3m", "-0.5b", "-small"], rng);
    let kind = one(&["", "", "-q8_0", "-q4_k_m", "-q4_0", "-f16", "-instruct", "-chat", ".Q8_0"], rng);
    format!("{family}{size}{kind}{}", one(&["", ".gguf", ".gguf"], rng))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_names_look_right() {
        let mut rng = fastrand::Rng::with_seed(3);
        assert!(invented(&mut rng).starts_with(char::is_uppercase));
        assert!(compound(&mut rng).len() > 3);
        assert!(!model(&mut rng).contains(' '));
    }
}
