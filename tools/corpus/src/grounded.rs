// SPDX-License-Identifier: MIT
//! Passages of made facts, and questions that a sentence of the passage answers, or none.

use crate::made::capital;
use crate::reading::{Asked, Reading, Wording};
use crate::slots::Slots;
use crate::source::{Lines, Section, all_sections, fill, held, plain, wordings};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A kind of fact.
#[derive(Debug, Default)]
pub struct Kind {
    name: String,
    pub entity: String,
    pub value: String,
    statements: Lines,
    pub questions: Lines,
    /// All that the questions can say, as [`plain`] text.
    pub asked: HashSet<String>,
}

impl Kind {
    /// Adds the lines of a section.
    fn add(&mut self, section: &Section, path: &Path) -> Result<()> {
        let title = &section.title;
        let find = |mark: &str| title.split_whitespace().find_map(|word| word.strip_prefix(mark));
        let (entity, value) =
            find("e:").zip(find("v:")).with_context(|| format!("'= {title}' names no e: and v:"))?;
        let new = self.entity.is_empty();
        ensure!(
            new || (&*self.entity, &*self.value) == (entity, value),
            "'= {title}' has other kinds before"
        );
        (self.entity, self.value) = (entity.to_string(), value.to_string());
        for (number, line) in &section.lines {
            let (is_held, line) = held(line);
            match line.split_once(' ') {
                Some(("s", text)) => self.statements.push(is_held, text),
                Some(("q", text)) => {
                    self.asked.extend(wordings(text).iter().map(|text| plain(text)));
                    self.questions.push(is_held, text);
                }
                _ => bail!("{}:{number}: neither s nor q: {line}", path.display()),
            }
        }
        Ok(())
    }
}

/// A sentence and what it states.
pub struct Fact {
    pub kind: usize,
    pub entity: String,
    pub value: String,
    pub sentence: String,
}

/// All kinds of facts, by what they are about.
pub struct Facts {
    pub kinds: Vec<Kind>,
    pub by_entity: Vec<(String, Vec<usize>)>,
}

impl Facts {
    /// Reads `grounded.txt` and its further parts; a kind that stands in two has the lines of both.
    ///
    /// # Errors
    /// Names the line that is not understood.
    pub fn read(data: &Path) -> Result<Self> {
        let mut kinds: Vec<Kind> = Vec::new();
        for (path, section) in all_sections(data, "grounded")? {
            let name = section.title.split(' ').next().unwrap_or_default();
            let at = kinds.iter().position(|kind| kind.name == name).unwrap_or_else(|| {
                kinds.push(Kind { name: name.to_string(), ..Kind::default() });
                kinds.len() - 1
            });
            kinds[at].add(&section, &path)?;
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
        while facts.is_empty() {
            self.subject(&mut facts, wording, slots, rng)?;
        }
        let passage = self.passage(&mut facts, wording, slots, rng)?;
        let mut asked: Vec<Asked> = Vec::new();
        for _ in 0..questions {
            let question = match rng.u8(..10) < 1 {
                true => self.unanswered(&facts, wording, slots, rng)?,
                false => self.answered(&facts, wording, rng)?,
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

    /// Whether a kind has the wordings.
    pub fn has(&self, kind: usize, wording: Wording) -> bool {
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
        let template = statements.chosen(wording.statements, rng)?;
        let filled = HashMap::from([("e".to_string(), entity.to_string()), ("v".to_string(), value.clone())]);
        let sentence = capital(&fill(&template, &filled, rng)?);
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
