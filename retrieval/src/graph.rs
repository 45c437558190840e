// SPDX-License-Identifier: MIT
//! Facts: subject, relation, object, with source and time; found by the entities that a text names.
//!
//! One design rule: the graph is memory built from the store's fact records; a text names an entity when the entity's
//! terms stand in it side by side, so spelling and endings may differ. Limits: one hop; no inference.
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::episodes::Event;
use crate::index::for_each_token;
use crate::record::Fact;

/// Longest subject, relation or object, in bytes.
pub const LONGEST: usize = 120;

/// A fact, kept in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactRow {
    /// The fact's id.
    pub id: u64,
    /// What it is about.
    pub subject: String,
    /// What it says about it.
    pub relation: String,
    /// The other end.
    pub object: String,
    /// The episode that it follows from.
    pub episode: Option<u64>,
    /// Since when it holds, in seconds since 1970.
    pub time: u64,
}

/// A fact that a rule draws from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn<'a> {
    /// What it is about.
    pub subject: &'a str,
    /// What it says about it.
    pub relation: &'a str,
    /// The other end.
    pub object: &'a str,
    /// It replaces an earlier fact of the same subject and relation.
    pub replaces: bool,
}

/// The rules: what an event says about its entities.
pub fn draw<'a>(event: &Event<'a>) -> Option<Drawn<'a>> {
    let fact = |subject, relation, object, replaces| Some(Drawn { subject, relation, object, replaces });
    match *event {
        Event::Boot { version } => fact("system", "runs version", version, true),
        Event::Fault { pd, cause } => fact(pd, "last faulted with", cause, true),
        Event::ModelLoaded { model } => fact("system", "last loaded model", model, true),
        Event::ModelFailed { model, reason } => fact(model, "could not be loaded because", reason, true),
        Event::Document { path, .. } => fact("library", "holds document", path, false),
        _ => None,
    }
}

/// A text's terms with a blank before, between and behind: " kernel panic ".
fn terms(text: &str) -> String {
    let mut all = String::from(" ");
    for_each_token(text, |token| {
        all.push_str(token);
        all.push(' ');
    });
    all
}

/// All facts, and which entity occurs in which.
#[derive(Default)]
pub struct Graph {
    facts: BTreeMap<u64, FactRow>,
    by_entity: BTreeMap<String, BTreeSet<u64>>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of facts.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// True if there is no fact.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Enters a fact.
    pub fn insert(&mut self, id: u64, fact: &Fact<'_>) {
        self.remove(id);
        for entity in [fact.subject, fact.object] {
            self.by_entity.entry(terms(entity)).or_default().insert(id);
        }
        let (subject, relation, object) = (fact.subject.into(), fact.relation.into(), fact.object.into());
        let row = FactRow { id, subject, relation, object, episode: fact.episode, time: fact.time };
        self.facts.insert(id, row);
    }

    /// Forgets a fact; `None` if there is none of this id.
    pub fn remove(&mut self, id: u64) -> Option<FactRow> {
        let row = self.facts.remove(&id)?;
        for entity in [&row.subject, &row.object] {
            let key = terms(entity);
            if let Some(ids) = self.by_entity.get_mut(&key) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_entity.remove(&key);
                }
            }
        }
        Some(row)
    }

    /// A fact.
    pub fn get(&self, id: u64) -> Option<&FactRow> {
        self.facts.get(&id)
    }

    /// All facts, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &FactRow> {
        self.facts.values()
    }

    /// Facts with this subject and relation, compared by their terms.
    pub fn find(&self, subject: &str, relation: &str) -> impl Iterator<Item = &FactRow> {
        let (subject, relation) = (terms(subject), terms(relation));
        let of_subject = self.by_entity.get(&subject).into_iter().flatten();
        let rows = of_subject.filter_map(|id| self.facts.get(id));
        rows.filter(move |row| terms(&row.subject) == subject && terms(&row.relation) == relation)
    }

    /// Facts whose subject or object any of the texts names, those named most often first, newer before older.
    ///
    /// The texts are a question and the passages that were found for it: so facts about what a passage mentions join
    /// the answer although the question does not name it.
    pub fn about(&self, texts: &[&str], limit: usize) -> Vec<&FactRow> {
        let texts: Vec<String> = texts.iter().map(|text| terms(text)).collect();
        let mut named: BTreeMap<u64, usize> = BTreeMap::new();
        for (entity, ids) in &self.by_entity {
            let count =
                texts.iter().filter(|text| entity.len() > 1 && text.contains(entity.as_str())).count();
            if count > 0 {
                ids.iter().for_each(|id| *named.entry(*id).or_insert(0) += count);
            }
        }
        let mut rows: Vec<(usize, &FactRow)> =
            named.iter().filter_map(|(id, count)| Some((*count, self.facts.get(id)?))).collect();
        rows.sort_by_key(|(count, row)| core::cmp::Reverse((*count, row.time, row.id)));
        rows.into_iter().take(limit).map(|(_, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact<'a>(subject: &'a str, relation: &'a str, object: &'a str) -> Fact<'a> {
        Fact { subject, relation, object, episode: None, time: 5 }
    }

    #[test]
    fn facts_are_found_by_what_texts_name() {
        let mut graph = Graph::new();
        graph.insert(1, &fact("storage", "uses", "virtio-blk"));
        graph.insert(2, &fact("compute", "reads", "weights"));
        graph.insert(3, &fact("storage", "serves", "retriever"));
        let ids = |texts: &[&str]| graph.about(texts, 9).iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&["Who serves the Retriever?"]), [3]);
        assert_eq!(ids(&["storage?", "the virtio blk device"]), [1, 3]);
        assert!(ids(&["", "nothing known, store"]).is_empty());
    }

    #[test]
    fn forgetting_leaves_nothing() {
        let mut graph = Graph::new();
        graph.insert(1, &fact("a thing", "is", "here"));
        assert_eq!(graph.find("A Thing", "IS").count(), 1);
        assert!(graph.remove(1).is_some() && graph.remove(1).is_none());
        assert!(graph.is_empty() && graph.about(&["a thing here"], 9).is_empty());
    }

    #[test]
    fn events_give_facts() {
        let drawn = draw(&Event::Fault { pd: "loader", cause: "null read" }).expect("a rule");
        assert_eq!((drawn.subject, drawn.object, drawn.replaces), ("loader", "null read", true));
        assert_eq!(draw(&Event::Command { line: "status" }), None);
    }
}
