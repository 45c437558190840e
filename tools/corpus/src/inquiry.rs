// SPDX-License-Identifier: MIT
//! Questions about facts: those that a passage answers, and those that it does not.

use crate::grounded::{Fact, Facts};
use crate::reading::{Asked, Wording};
use crate::slots::Slots;
use crate::source::{fill, plain};
use anyhow::{Context, Result};
use std::collections::HashMap;

impl Facts {
    /// A question about a fact of `kind`, in words that do not ask for one of the kinds `not` as well; `None` if none
    /// was found.
    fn ask(
        &self,
        kind: usize,
        entity: &str,
        not: &[usize],
        wording: Wording,
        rng: &mut fastrand::Rng,
    ) -> Result<Option<String>> {
        let Some(template) = self.clear(kind, not, wording, rng)? else { return Ok(None) };
        let filled = HashMap::from([("e".to_string(), entity.to_string())]);
        let question = fill(&template, &filled, rng)?;
        Ok(Some(match rng.u8(..10) {
            0 => question.to_lowercase(),
            1 => question.trim_end_matches('?').to_string(),
            _ => question,
        }))
    }

    fn clear(
        &self,
        kind: usize,
        not: &[usize],
        wording: Wording,
        rng: &mut fastrand::Rng,
    ) -> Result<Option<String>> {
        const DRAWS: usize = 20;
        for _ in 0..DRAWS {
            let text = self.kinds[kind].questions.chosen(wording.questions, rng)?;
            if !not.iter().any(|other| self.kinds[*other].asked.contains(&plain(&text))) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// A question about one of the facts, and the sentence that states it; `None` if it would ask for another fact too.
    ///
    /// # Errors
    /// When a kind has no questions.
    pub fn answered(
        &self,
        facts: &[Fact],
        wording: Wording,
        rng: &mut fastrand::Rng,
    ) -> Result<Option<Asked>> {
        let fact = &facts[rng.usize(..facts.len())];
        let others = facts.iter().filter(|other| other.entity == fact.entity && other.kind != fact.kind);
        let others: Vec<usize> = others.map(|other| other.kind).collect();
        let question = self.ask(fact.kind, &fact.entity, &others, wording, rng)?;
        Ok(question.map(|question| (question, Some(fact.sentence.clone()), fact.value.clone())))
    }

    /// A question about a thing that is not named, or about something else of a thing that is.
    ///
    /// # Errors
    /// When a list is missing.
    pub fn unanswered(
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
        let known: Vec<usize> =
            facts.iter().filter(|fact| fact.entity == entity).map(|fact| fact.kind).collect();
        let question = if said { None } else { self.ask(kind, &entity, &known, wording, rng)? };
        Ok(question.map(|question| (question, None, String::new())))
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
