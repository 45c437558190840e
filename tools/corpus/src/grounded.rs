// SPDX-License-Identifier: MIT
//! Passages of made facts, and questions that a sentence of the passage answers, or none.

use crate::made::{capital, one};
use crate::slots::Slots;
use crate::source::{Lines, Split, fill, held, sections};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::path::Path;

/// What is answered when the passage does not say.
pub const NOT_SAID: &str = "The passage does not say.";

/// Which wordings are held out in what is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// New names and values.
    pub values: Split,
    /// How facts are stated.
    pub statements: Split,
    /// How is asked.
    pub questions: Split,
}

/// A kind of fact.
#[derive(Debug)]
struct Kind {
    entity: String,
    value: String,
    statements: Lines,
    questions: Lines,
}

/// Question, answering sentence (`None`: the passage does not say), and the value in it.
pub type Asked = (String, Option<String>, String);

/// A passage with questions and the sentences that answer them.
#[derive(Clone, Debug)]
pub struct Reading {
    pub passage: String,
    pub questions: Vec<Asked>,
}

/// A sentence and what it states.
struct Fact {
    kind: usize,
    entity: String,
    value: String,
    sentence: String,
}

/// All kinds of facts, by what they are about.
pub struct Facts {
    kinds: Vec<Kind>,
    by_entity: Vec<(String, Vec<usize>)>,
}

impl Facts {
    /// Reads `grounded.txt`.
    ///
    /// # Errors
    /// Names the line that is not understood.
    pub fn read(path: &Path) -> Result<Self> {
        let mut kinds = Vec::new();
        for section in sections(path)? {
            let find = |mark: &str| section.title.split_whitespace().find_map(|word| word.strip_prefix(mark));
            let (entity, value) = find("e:")
                .zip(find("v:"))
                .with_context(|| format!("'= {}' names no e: and v:", section.title))?;
            let mut kind = Kind {
                entity: entity.to_string(),
                value: value.to_string(),
                statements: Lines::default(),
                questions: Lines::default(),
            };
            for (number, line) in &section.lines {
                let (is_held, line) = held(line);
                match line.split_once(' ') {
                    Some(("s", text)) => kind.statements.push(is_held, text),
                    Some(("q", text)) => kind.questions.push(is_held, text),
                    _ => anyhow::bail!("{}:{number}: neither s nor q: {line}", path.display()),
                }
            }
            kinds.push(kind);
        }
        Ok(Self { by_entity: by_entity(&kinds), kinds })
    }

    /// Kinds of facts.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// A passage with up to `questions` questions.
    ///
    /// # Errors
    /// When a slot is unknown.
    pub fn reading(
        &self,
        wording: Wording,
        questions: usize,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<Reading> {
        let mut facts = Vec::new();
        let subjects = 1 + usize::from(rng.u8(..4) == 0);
        for _ in 0..subjects {
            self.subject(&mut facts, wording, slots, rng)?;
        }
        let passage = self.passage(&mut facts, wording, slots, rng)?;
        let mut asked: Vec<Asked> = Vec::new();
        for _ in 0..questions {
            let question = match rng.u8(..10) < 1 {
                true => self.unanswered(&facts, wording, slots, rng)?,
                false => Some(self.answered(&facts, wording, rng)?),
            };
            if let Some(question) =
                question.filter(|(text, ..)| asked.iter().all(|(other, ..)| other != text))
            {
                asked.push(question);
            }
        }
        Ok(Reading { passage, questions: asked })
    }

    /// Adds facts about one to three things of a kind.
    fn subject(
        &self,
        facts: &mut Vec<Fact>,
        wording: Wording,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<()> {
        let (entity_kind, mut chosen) = self.drawn(wording, rng);
        rng.shuffle(&mut chosen);
        chosen.truncate(rng.usize(1..4));
        for _ in 0..rng.usize(1..4) {
            let entity = slots.value(&entity_kind, wording.values, rng)?;
            if facts.iter().any(|fact| fact.entity == entity) {
                continue;
            }
            for kind in &chosen {
                if rng.u8(..4) > 0 || chosen.len() == 1 {
                    let fact = self.fact(*kind, &entity, wording, slots, rng)?;
                    facts.push(fact);
                }
            }
        }
        Ok(())
    }

    /// What facts are about, and their kinds that have the wordings; a third of all are about anything.
    fn drawn(&self, wording: Wording, rng: &mut fastrand::Rng) -> (String, Vec<usize>) {
        loop {
            let any = self.by_entity.iter().find(|(name, _)| name == "any" && rng.u8(..3) == 0);
            let (name, kinds) = any.unwrap_or(&self.by_entity[rng.usize(..self.by_entity.len())]);
            let kinds: Vec<usize> = kinds.iter().copied().filter(|kind| self.has(*kind, wording)).collect();
            if !kinds.is_empty() {
                return (name.clone(), kinds);
            }
        }
    }

    fn has(&self, kind: usize, wording: Wording) -> bool {
        let Kind { statements, questions, .. } = &self.kinds[kind];
        !statements.of(wording.statements).is_empty() && !questions.of(wording.questions).is_empty()
    }

    fn fact(
        &self,
        kind: usize,
        entity: &str,
        wording: Wording,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<Fact> {
        let Kind { value, statements, .. } = &self.kinds[kind];
        let value = slots.value(value, wording.values, rng)?;
        let templates = statements.of(wording.statements);
        let template =
            templates.get(rng.usize(..templates.len().max(1))).context("a kind without statements")?;
        let filled = HashMap::from([("e".to_string(), entity.to_string()), ("v".to_string(), value.clone())]);
        let sentence = capital(&fill(template, &filled, rng)?);
        Ok(Fact { kind, entity: entity.to_string(), value, sentence })
    }

    /// The sentences in a row, sometimes with others between them, and with "it" for a thing just named.
    fn passage(
        &self,
        facts: &mut Vec<Fact>,
        wording: Wording,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<String> {
        if facts.is_empty() {
            facts.push(self.fact(
                0,
                &slots.value(&self.kinds[0].entity, wording.values, rng)?,
                wording,
                slots,
                rng,
            )?);
        }
        if rng.u8(..3) == 0 {
            rng.shuffle(facts);
        }
        facts.truncate(7);
        for at in 1..facts.len() {
            let same =
                facts[at - 1].entity == facts[at].entity && self.kinds[facts[at].kind].entity != "person";
            if same && rng.u8(..3) == 0 {
                let start = capital(&facts[at].entity);
                if let Some(rest) = facts[at].sentence.strip_prefix(&format!("{start} ")) {
                    facts[at].sentence = format!("It {rest}");
                }
            }
        }
        let mut sentences: Vec<String> = facts.iter().map(|fact| fact.sentence.clone()).collect();
        for _ in 0..rng.usize(..3) {
            let at = rng.usize(..=sentences.len());
            let follows = sentences.get(at).is_some_and(|next| next.starts_with("It "));
            let filler = slots.listed("filler", wording.values, rng)?;
            if !follows && !sentences.contains(&filler) {
                sentences.insert(at, filler);
            }
        }
        Ok(sentences.join(" "))
    }

    /// A question about a fact of `kind`, in words that do not ask for one of the kinds `not` as well.
    fn ask(
        &self,
        kind: usize,
        entity: &str,
        not: &[usize],
        wording: Wording,
        rng: &mut fastrand::Rng,
    ) -> Result<String> {
        let of = |kind: usize| self.kinds[kind].questions.of(wording.questions);
        let clear = |template: &&String| !not.iter().any(|kind| of(*kind).contains(template));
        let templates: Vec<&String> = of(kind).iter().filter(clear).collect();
        let template =
            templates.get(rng.usize(..templates.len().max(1))).context("a kind without questions")?;
        let filled = HashMap::from([("e".to_string(), entity.to_string())]);
        let question = fill(template, &filled, rng)?;
        Ok(match rng.u8(..10) {
            0 => question.to_lowercase(),
            1 => question.trim_end_matches('?').to_string(),
            _ => question,
        })
    }

    fn answered(&self, facts: &[Fact], wording: Wording, rng: &mut fastrand::Rng) -> Result<Asked> {
        let fact = &facts[rng.usize(..facts.len())];
        let others = facts.iter().filter(|other| other.entity == fact.entity && other.kind != fact.kind);
        let others: Vec<usize> = others.map(|other| other.kind).collect();
        let question = self.ask(fact.kind, &fact.entity, &others, wording, rng)?;
        Ok((question, Some(fact.sentence.clone()), fact.value.clone()))
    }

    /// A question about a thing that is not named, or about something else of a thing that is.
    fn unanswered(
        &self,
        facts: &[Fact],
        wording: Wording,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<Option<Asked>> {
        let fact = &facts[rng.usize(..facts.len())];
        let entity_kind = &self.kinds[fact.kind].entity;
        let (kind, entity) = if rng.bool() {
            (fact.kind, slots.value(entity_kind, wording.values, rng)?)
        } else {
            let same = self.by_entity.iter().find(|(name, _)| name == entity_kind);
            let others = &same.context("every kind is listed")?.1;
            (others[rng.usize(..others.len())], fact.entity.clone())
        };
        let said = !self.has(kind, wording)
            || facts.iter().any(|fact| fact.entity == entity && self.confusable(fact.kind, kind));
        Ok(match said {
            true => None,
            false => Some((self.ask(kind, &entity, &[], wording, rng)?, None, String::new())),
        })
    }

    /// Whether a fact of the one kind may answer a question about the other: values of the same sort.
    fn confusable(&self, a: usize, b: usize) -> bool {
        a == b || self.kinds[a].value == self.kinds[b].value || self.both_places(a, b)
    }

    fn both_places(&self, a: usize, b: usize) -> bool {
        const PLACES: [&str; 6] = ["city", "room", "street", "ordinal", "ip", "shelf"];
        [a, b].iter().all(|kind| PLACES.contains(&self.kinds[*kind].value.as_str()))
    }
}

fn by_entity(kinds: &[Kind]) -> Vec<(String, Vec<usize>)> {
    let mut all: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        match all.iter_mut().find(|(name, _)| *name == kind.entity) {
            Some((_, list)) => list.push(index),
            None => all.push((kind.entity.clone(), vec![index])),
        }
    }
    all
}

/// A source for a passage: path and heading.
///
/// # Errors
/// When the lists are missing.
pub fn place(split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<(String, String)> {
    Ok((slots.listed("docname", split, rng)?, slots.listed("heading", split, rng)?))
}

/// A score as retrieval gives it.
pub fn score(rng: &mut fastrand::Rng) -> f32 {
    f32::from(rng.u16(25..98)) / 100.0
}

/// Something to say to an answer before the next question, or nothing.
pub fn link(rng: &mut fastrand::Rng) -> &'static str {
    one(&["", "", "", "", "", "Thanks. ", "Ok. "], rng)
}
