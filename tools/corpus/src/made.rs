// SPDX-License-Identifier: MIT
//! Values that are made: numbers with units, dates, codes, and names that exist nowhere.

use crate::slots::Slots;
use crate::source::Split;
use anyhow::Result;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ORDINALS: [&str; 9] =
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];

/// One of `choices`.
pub fn one<'a>(choices: &[&'a str], rng: &mut fastrand::Rng) -> &'a str {
    choices[rng.usize(..choices.len())]
}

/// A value of a kind that is made of digits; `None` for other kinds.
pub fn number(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    settings(kind, rng)
        .or_else(|| measures(kind, rng))
        .or_else(|| times(kind, rng))
        .or_else(|| codes(kind, rng))
}

/// Values of the console's parameters.
fn settings(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    let tenths = |n: u32| format!("{}.{}", n / 10, n % 10);
    Some(match kind {
        "temperature-setting" => match rng.u8(..10) {
            0 => "1".to_string(),
            1 => "0".to_string(),
            2 => format!("0.{:02}", rng.u32(1..100)),
            _ => tenths(rng.u32(1..20)),
        },
        "fraction" => match rng.u8(..3) {
            0 => format!("0.{:02}", rng.u32(1..100)),
            _ => format!("0.{}", rng.u32(1..10)),
        },
        "penalty" => match rng.u8(..2) {
            0 => format!("1.{:02}", rng.u32(1..60)),
            _ => format!("1.{}", rng.u32(0..8)),
        },
        "integer" => match rng.u8(..4) {
            0 => one(&["16", "32", "64", "128", "256", "512", "1024", "2048", "4096"], rng).to_string(),
            1 => rng.u32(1..100).to_string(),
            2 => (10 * rng.u32(1..100)).to_string(),
            _ => rng.u32(1..10_000).to_string(),
        },
        "small" => rng.u32(1..60).to_string(),
        "columns" => match rng.u8(..2) {
            0 => one(&["60", "72", "80", "100", "120", "132", "160"], rng).to_string(),
            _ => rng.u32(20..300).to_string(),
        },
        _ => return None,
    })
}

fn measures(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    let (low, high, units): (u32, u32, &[&str]) = match kind {
        "number" => (3, 500, &[""]),
        "dose" => (1, 900, &[" mg", " mg", " ml", " drops", " tablets"]),
        "temperature" => (1, 400, &[" degrees", " degrees", " degrees Celsius"]),
        "pressure" => (1, 300, &[" bar", " bar", " kPa", " psi"]),
        "speed" => (20, 9000, &[" rpm", " rpm", " km/h", " turns a minute"]),
        "weight" => (2, 900, &[" kg", " kg", " grams", " tons", " pounds"]),
        "length" => (2, 900, &[" metres", " cm", " feet", " mm"]),
        "money" => (5, 9000, &[" euros", " dollars", " francs", " pounds", " crowns"]),
        "power" => (2, 900, &[" kW", " watts", " kilowatts"]),
        "memory" => (1, 512, &[" GB", " GiB", " MB"]),
        "minutes" => (3, 90, &[" minutes"]),
        "duration" => (2, 60, &[" days", " weeks", " months", " hours"]),
        "million" => (2, 90, &[" million", " million", " thousand"]),
        "reading" => (1, 900, &[" volts", " degrees", " percent", " ppm", " bar", " lux", ""]),
        _ => return None,
    };
    let value = rng.u32(low..high);
    let value = if rng.u8(..6) == 0 && kind != "number" && kind != "million" {
        format!("{value}.{}", rng.u32(1..10))
    } else {
        value.to_string()
    };
    Some(value + one(units, rng))
}

fn times(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    Some(match kind {
        "date" => match rng.u8(..3) {
            0 => format!("{} {} {}", rng.u32(1..29), one(&MONTHS, rng), rng.u32(1950..2027)),
            1 => format!("{} {}", one(&MONTHS, rng), rng.u32(1..29)),
            _ => format!("{} {}", rng.u32(1..29), one(&MONTHS, rng)),
        },
        "year" => rng.u32(1820..2027).to_string(),
        "weekday" => one(&WEEKDAYS, rng).to_string(),
        "time" => match rng.u8(..3) {
            0 => format!("{} o'clock", one(&["eight", "nine", "ten", "two", "three", "six", "seven"], rng)),
            1 => format!("{}:{:02}", rng.u32(0..24), 5 * rng.u32(0..12)),
            _ => format!("{} {}", rng.u32(1..13), one(&["am", "pm"], rng)),
        },
        "ordinal" => one(&ORDINALS, rng).to_string(),
        _ => return None,
    })
}

fn codes(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    Some(match kind {
        "phone" => format!("{}-{:03}-{:04}", rng.u32(10..100), rng.u32(..1000), rng.u32(..10_000)),
        "portnumber" => rng.u32(21..65_000).to_string(),
        "ip" => format!("10.{}.{}.{}", rng.u32(..256), rng.u32(..256), rng.u32(1..255)),
        "code" => match rng.u8(..3) {
            0 => format!("{:04}", rng.u32(..10_000)),
            1 => format!("{}{}-{}", letter(rng), letter(rng), rng.u32(10..1000)),
            _ => format!("{}{}{}", rng.u32(1..100), letter(rng), rng.u32(1..100)),
        },
        "errorcode" => match rng.u8(..3) {
            0 => format!("error {}", rng.u32(1..100)),
            1 => format!("code {}{}", letter(rng), rng.u32(1..100)),
            _ => format!("E{}", rng.u32(1..1000)),
        },
        "platform" => format!("platform {}", rng.u32(1..25)),
        "shelf" => match rng.u8(..2) {
            0 => format!("shelf {}", rng.u32(1..60)),
            _ => format!("shelf {}{}", letter(rng), rng.u32(1..20)),
        },
        "train" => match rng.u8(..3) {
            0 => format!("train {}", rng.u32(1..900)),
            1 => format!("bus {}", rng.u32(1..100)),
            _ => format!("the IC {}", rng.u32(10..999)),
        },
        _ => return None,
    })
}

fn letter(rng: &mut fastrand::Rng) -> char {
    char::from(b'A' + rng.u8(..24))
}

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

/// With a capital first letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// A value of a kind that has a name.
pub fn name(slots: &Slots, kind: &str, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
    let invent = rng.u8(..10) < 4;
    let list = |kind: &str, rng: &mut fastrand::Rng| slots.listed(kind, split, rng);
    Ok(match kind {
        "person" => {
            let last = if invent { invented(rng) } else { list("last", rng)? };
            format!("{} {last}", list("first", rng)?)
        }
        "company" if invent => {
            format!("{} {}", invented(rng), one(&["Ltd", "Works", "Systems", "Foods", "Labs"], rng))
        }
        "drug" | "project" | "country" | "city" if invent => invented(rng),
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
    fn made_values_look_right() {
        let mut rng = fastrand::Rng::with_seed(3);
        for kind in ["date", "pressure", "ip", "code", "integer", "year"] {
            let value = number(kind, &mut rng).unwrap();
            assert!(value.chars().any(|c| c.is_ascii_digit()), "{kind}: {value}");
        }
        assert_eq!(number("person", &mut rng), None);
        assert!(invented(&mut rng).starts_with(char::is_uppercase));
        assert!(!model(&mut rng).contains(' '));
    }
}
