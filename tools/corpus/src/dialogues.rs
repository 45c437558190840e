// SPDX-License-Identifier: MIT
//! Short polite conversations.

use crate::clinc::Clinc;
use crate::noise::typed;
use crate::output::Message;
use crate::slots::Slots;
use crate::source::{Lines, Section, Split, all_sections, fill, held, slots};
use anyhow::{Result, bail, ensure};
use std::path::Path;

/// Where an exchange stands in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Open,
    Middle,
    Close,
}

/// A kind of exchange.
struct Exchange {
    place: Place,
    said: Lines,
    answers: Vec<String>,
}

/// All kinds.
pub struct Dialogues {
    exchanges: Vec<Exchange>,
}

impl Dialogues {
    /// Reads `dialogues*.txt`; CLINC150's texts of the intents named there are added.
    ///
    /// # Errors
    /// Names the line that is not understood.
    pub fn read(data: &Path, clinc: &Clinc) -> Result<Self> {
        let sections = all_sections(data, "dialogues")?;
        let exchanges = sections.iter().map(|(path, section)| exchange(path, section, clinc));
        Ok(Self { exchanges: exchanges.collect::<Result<_>>()? })
    }

    /// A conversation of one to four exchanges.
    ///
    /// # Errors
    /// When a slot is unknown.
    pub fn conversation(&self, split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        if rng.u8(..2) == 0 {
            self.exchange(Place::Open, split, slots, rng, &mut messages)?;
        }
        for _ in 0..rng.usize(1..4) {
            self.exchange(Place::Middle, split, slots, rng, &mut messages)?;
        }
        if rng.u8(..3) == 0 {
            self.exchange(Place::Close, split, slots, rng, &mut messages)?;
        }
        Ok(messages)
    }

    fn exchange(
        &self,
        place: Place,
        split: Split,
        known: &Slots,
        rng: &mut fastrand::Rng,
        messages: &mut Vec<Message>,
    ) -> Result<()> {
        let fits = |one: &&Exchange| one.place == place && !one.said.of(split).is_empty();
        let all: Vec<&Exchange> = self.exchanges.iter().filter(fits).collect();
        ensure!(!all.is_empty(), "no exchange for this part of a conversation");
        let exchange = all[rng.usize(..all.len())];
        let said = exchange.said.of(split);
        // Written lines count as much as the many of CLINC150.
        let said = &said[if rng.bool() { rng.usize(..said.len().min(9)) } else { rng.usize(..said.len()) }];
        let answer = &exchange.answers[rng.usize(..exchange.answers.len())];
        let mut names = slots(said);
        names.extend(slots(answer));
        let values = known.values(&names, split, rng)?;
        let exact: Vec<String> = values.values().cloned().collect();
        messages.push(Message::user(&typed(&fill(said, &values, rng)?, &exact, rng)));
        messages.push(Message::assistant(&fill(answer, &values, rng)?));
        Ok(())
    }
}

fn exchange(path: &Path, section: &Section, clinc: &Clinc) -> Result<Exchange> {
    let mut exchange = Exchange { place: place(&section.title), said: Lines::default(), answers: Vec::new() };
    for (number, line) in &section.lines {
        let (is_held, line) = held(line);
        match line.split_once(' ') {
            Some(("u", text)) => exchange.said.push(is_held, text),
            Some(("a", text)) => exchange.answers.push(text.to_string()),
            _ => bail!("{}:{number}: neither u nor a: {line}", path.display()),
        }
    }
    for intent in section.title.split(' ').filter_map(|word| word.strip_prefix("clinc:")) {
        clinc.of(Split::Train, intent).iter().for_each(|text| exchange.said.push(false, text));
        clinc.of(Split::Held, intent).iter().for_each(|text| exchange.said.push(true, text));
    }
    ensure!(!exchange.answers.is_empty(), "{}: '{}' has no answer", path.display(), section.title);
    Ok(exchange)
}

fn place(title: &str) -> Place {
    match title.split(' ').nth(1) {
        Some("open") => Place::Open,
        Some("close") => Place::Close,
        _ => Place::Middle,
    }
}
