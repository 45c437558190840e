// SPDX-License-Identifier: MIT
//! Who did what, where, when and why: sentences put together from parts, and questions about the parts.
//!
//! The same persons, verbs and things return in several sentences of a passage, so that a question is answered only by
//! the sentence in which all it names come together.

use crate::made::{capital, one};
use crate::reading::{Asked, Reading};
use crate::slots::Slots;
use crate::source::{Split, sections};
use crate::telling::{Ask, told};
use anyhow::{Context, Result, ensure};
use std::path::Path;

/// A verb: infinitive, past, participle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verb(pub [String; 3]);

/// A verb and others that mean the same.
type Verbs = Vec<Verb>;

/// Parts of sentences.
pub struct Events {
    verbs: Vec<Verbs>,
    things: Vec<[String; 2]>,
    traits: Vec<String>,
    who: Vec<String>,
    places: Vec<String>,
    reasons: Vec<String>,
    asides: Vec<String>,
}

/// What was done, by whom; the other parts may not be told.
#[derive(Clone, Debug)]
pub struct Event {
    pub who: String,
    pub verbs: Verbs,
    /// Index of the thing.
    thing: usize,
    /// One of it, or many.
    pub one: String,
    pub many: String,
    /// How many, where there are many.
    pub count: Option<String>,
    /// With its preposition.
    pub place: Option<String>,
    /// With its preposition.
    pub time: Option<String>,
    pub why: Option<String>,
}

impl Events {
    /// Reads `events.txt`.
    ///
    /// # Errors
    /// When a part is missing or not understood.
    pub fn read(path: &Path) -> Result<Self> {
        let sections = sections(path)?;
        let list = |name: &str| -> Result<Vec<String>> {
            let section = sections.iter().find(|section| section.title == name);
            let section = section.with_context(|| format!("{}: no section '= {name}'", path.display()))?;
            let lines = section.lines.iter().map(|(_, line)| line.as_str());
            let separator = if name == "verb" { '\n' } else { '|' };
            Ok(lines.flat_map(|line| line.split(separator)).map(String::from).collect())
        };
        let things = list("thing")?.iter().map(|line| forms(line)).collect::<Result<Vec<[String; 2]>>>()?;
        let verbs = list("verb")?.iter().map(|line| verbs(line)).collect::<Result<_>>()?;
        let (traits, who, places) = (list("trait")?, list("who")?, list("where")?);
        Ok(Self { verbs, things, traits, who, places, reasons: list("why")?, asides: list("aside")? })
    }

    /// A passage of two to six sentences with up to `questions` questions.
    ///
    /// # Errors
    /// When a list is missing.
    pub fn reading(
        &self,
        split: Split,
        questions: usize,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<Reading> {
        let events = self.events(split, slots, rng)?;
        let mut sentences: Vec<String> = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let again = index > 0 && events[index - 1].who == event.who;
            sentences.push(capital(&told(event, again, rng)));
        }
        let asked = self.asked(&events, &sentences, questions, rng);
        let mut passage = Vec::new();
        for sentence in &sentences {
            passage.push(sentence.as_str());
            if rng.u8(..6) == 0 {
                passage.push(pick(&self.asides, rng));
            }
        }
        Ok(Reading { passage: passage.join(" "), questions: asked })
    }

    /// Events of which no two share two of person, verb and thing.
    fn events(&self, split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<Vec<Event>> {
        let people =
            (0..rng.usize(1..4)).map(|_| self.someone(split, slots, rng)).collect::<Result<Vec<_>>>()?;
        let verbs: Vec<&Verbs> = (0..4).map(|_| &self.verbs[rng.usize(..self.verbs.len())]).collect();
        let things: Vec<usize> = (0..4).map(|_| rng.usize(..self.things.len())).collect();
        let mut events: Vec<Event> = Vec::new();
        for _ in 0..rng.usize(2..7) {
            let who = people[rng.usize(..people.len())].clone();
            let event = self.event(who, verbs[rng.usize(..4)], things[rng.usize(..4)], split, slots, rng)?;
            if events.iter().all(|other| other.differs(&event)) {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn someone(&self, split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
        match rng.u8(..8) {
            0 | 1 => Ok(pick(&self.who, rng).to_string()),
            2 => Ok(format!("the {}", slots.value("job", split, rng)?)),
            3 => slots.value("company", split, rng),
            _ => slots.value("person", split, rng),
        }
    }

    fn event(
        &self,
        who: String,
        verbs: &Verbs,
        thing: usize,
        split: Split,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<Event> {
        let [one, many] = self.named(thing, slots, rng);
        let mark = if rng.bool() { format!("{} ", pick(&self.traits, rng)) } else { String::new() };
        Ok(Event {
            who,
            verbs: verbs.clone(),
            thing,
            one: format!("{mark}{one}"),
            many: format!("{mark}{many}"),
            count: if rng.bool() { Some(slots.value("quantity", split, rng)?) } else { None },
            place: if rng.u8(..3) > 0 { Some(self.place(split, slots, rng)?) } else { None },
            time: if rng.u8(..3) > 0 { Some(time(split, slots, rng)?) } else { None },
            why: (rng.u8(..4) == 0).then(|| pick(&self.reasons, rng).to_string()),
        })
    }

    /// The thing's forms, or those of a random word in its place.
    fn named(&self, thing: usize, slots: &Slots, rng: &mut fastrand::Rng) -> [String; 2] {
        match rng.u8(..4) {
            0 => {
                let word = slots.words.plain(rng);
                [word.to_string(), format!("{word}s")]
            }
            _ => self.things[thing].clone(),
        }
    }

    fn place(&self, split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
        Ok(match rng.u8(..5) {
            0 => format!("at {}", pick(&self.places, rng)),
            1 => format!("in {}", pick(&self.places, rng)),
            2 => format!("in {}", slots.value("room", split, rng)?),
            _ => format!("in {}", slots.value(one(&["city", "town", "country"], rng), split, rng)?),
        })
    }

    fn asked(
        &self,
        events: &[Event],
        sentences: &[String],
        count: usize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Asked> {
        let mut asked: Vec<Asked> = Vec::new();
        for _ in 0..2 * count {
            let at = rng.usize(..events.len());
            let event = &events[at];
            let question = match rng.u8(..14) {
                0..12 => Ask::told(event, rng)
                    .filter(|(_, fact)| {
                        sentences[at].contains(fact.as_str()) || sentences[at].contains(&capital(fact))
                    })
                    .map(|(text, fact)| (text, Some(sentences[at].clone()), fact)),
                12 => Ask::untold(event, rng).map(|text| (text, None, String::new())),
                _ => self.strange(events, event, rng).map(|text| (text, None, String::new())),
            };
            let new =
                |question: &Asked| asked.len() < count && asked.iter().all(|other| other.0 != question.0);
            if let Some(question) = question.filter(new) {
                asked.push(question);
            }
        }
        asked
    }

    /// A question about something that did not happen: what is like `event` but for the verb or the thing.
    fn strange(&self, events: &[Event], event: &Event, rng: &mut fastrand::Rng) -> Option<String> {
        let mut other = event.clone();
        if rng.bool() {
            other.verbs = self.verbs[rng.usize(..self.verbs.len())].clone();
        } else {
            other.thing = rng.usize(..self.things.len());
            [other.one, other.many] = self.things[other.thing].clone();
        }
        let same = events.iter().any(|told| told.verbs == other.verbs && told.thing == other.thing);
        match same {
            true => None,
            false => Some(Ask::strange(&other, rng)),
        }
    }
}

impl Event {
    /// Whether at most one of person, verb and thing is the same.
    fn differs(&self, other: &Self) -> bool {
        let same = [self.who == other.who, self.verbs == other.verbs, self.thing == other.thing];
        same.iter().filter(|same| **same).count() < 2
    }
}

fn pick<'a>(list: &'a [String], rng: &mut fastrand::Rng) -> &'a str {
    &list[rng.usize(..list.len())]
}

/// A time with its preposition.
fn time(split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    let (preposition, kind) =
        *[("on", "date"), ("on", "weekday"), ("in", "year"), ("at", "time"), ("in", "month")]
            .get(rng.usize(..5))
            .context("five kinds of times")?;
    Ok(format!("{preposition} {}", slots.value(kind, split, rng)?))
}

/// As many forms as words; a verb of several words has each form of as many.
fn forms<const N: usize>(line: &str) -> Result<[String; N]> {
    let words: Vec<&str> = line.split_whitespace().collect();
    ensure!(!words.is_empty() && words.len().is_multiple_of(N), "'{line}' has not {N} forms");
    let each = words.len() / N;
    Ok(std::array::from_fn(|form| words[form * each..(form + 1) * each].join(" ")))
}

fn verbs(line: &str) -> Result<Verbs> {
    let (first, others) = line.split_once('=').unwrap_or((line, ""));
    let others = others.split(',').filter(|other| !other.trim().is_empty());
    std::iter::once(first).chain(others).map(|line| Ok(Verb(forms(line)?))).collect()
}
