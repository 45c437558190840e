// SPDX-License-Identifier: MIT
//! Episodes: recorded as they happen, found by meaning and recency.
use alloc::string::String;
use alloc::vec::Vec;

use super::indexes::insert_vector;
use super::{Memory, MemoryError};
use crate::embed::Embedder;
use crate::episodes::{Event, Recency};
use crate::graph::{Drawn, draw};
use crate::index::{Entry, Filter, RowDots};
use crate::record::{self, Episode, EventKind, Fact, Kind, Vector};
use crate::store::{Batch, BlockDevice};

/// Episodes looked at by each search before recency decides.
const DEPTH: usize = 100;
/// How much meaning counts beside words.
const MEANING: f32 = 0.7;

/// An episode that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// The episode's id.
    pub id: u64,
    /// When, in seconds since 1970; 0 if no clock was there.
    pub time: u64,
    /// What kind.
    pub kind: EventKind,
    /// One line.
    pub text: String,
    /// Similarity times recency.
    pub score: f32,
}

impl<D: BlockDevice> Memory<D> {
    /// Records an event, and the fact that a rule draws from it; returns the episode's id.
    ///
    /// # Errors
    /// [`MemoryError::Embed`], [`MemoryError::Store`], [`MemoryError::Index`].
    pub fn record(
        &mut self,
        event: &Event<'_>,
        time: u64,
        embedder: &mut dyn Embedder,
    ) -> Result<u64, MemoryError> {
        self.forget_oldest_episodes()?;
        let text = event.summary();
        let id = self.new_id();
        let mut vector = alloc::vec![0.0; embedder.dims()];
        embedder.embed(&text, &mut vector)?;
        let vector = Vector::encode_q8(embedder.id(), &vector);
        let episode = Episode { time, kind: event.kind(), text: &text };
        let mut batch = Batch::new();
        batch.put(Kind::Episode.key(id), &record::encode(&episode)?)?;
        batch.put(Kind::EpisodeVector.key(id), &vector)?;
        self.store.commit(&batch)?;
        self.indexes.episode(id, &episode)?;
        let entry = Entry { id, source: 0, time };
        insert_vector(
            &mut self.indexes.episode_vectors,
            self.indexes.embedding,
            entry,
            &Vector::decode(&vector)?,
        )?;
        self.apply_rules(event, id, time)?;
        Ok(id)
    }

    fn apply_rules(&mut self, event: &Event<'_>, episode: u64, time: u64) -> Result<(), MemoryError> {
        let named = |drawn: &Drawn<'_>| !drawn.subject.is_empty() && !drawn.object.is_empty();
        let Some(drawn) = draw(event).filter(named) else { return Ok(()) };
        let earlier = self.indexes.graph.find(drawn.subject, drawn.relation);
        let same = |object: &str| drawn.replaces || object == drawn.object;
        let outdated: Vec<u64> = earlier.filter(|row| same(&row.object)).map(|row| row.id).collect();
        let clip = |text| clip(text, crate::graph::LONGEST);
        let (subject, relation, object) = (clip(drawn.subject), clip(drawn.relation), clip(drawn.object));
        let fact = Fact { subject, relation, object, episode: Some(episode), time };
        self.replace_facts(&outdated, &fact).map(drop)
    }

    fn forget_oldest_episodes(&mut self) -> Result<(), MemoryError> {
        while self.indexes.episode_words.len() >= self.config.max_episodes.max(1) {
            let Some(oldest) = self.indexes.episode_words.ids().next() else { return Ok(()) };
            self.forget_episode(oldest)?;
        }
        Ok(())
    }

    /// Forgets an episode.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn forget_episode(&mut self, id: u64) -> Result<(), MemoryError> {
        let mut batch = Batch::new();
        batch.delete(Kind::Episode.key(id))?;
        batch.delete(Kind::EpisodeVector.key(id))?;
        self.store.commit(&batch)?;
        self.indexes.unembedded.remove(&Kind::Episode.key(id));
        self.indexes.episode_words.remove(id);
        self.indexes.episode_vectors.remove(id);
        Ok(())
    }

    /// Episodes that fit a question, the fitting and fresh ones first.
    ///
    /// # Errors
    /// [`MemoryError::Embed`], [`MemoryError::Index`], [`MemoryError::Store`].
    pub fn recall(
        &mut self,
        question: &str,
        now: u64,
        limit: usize,
        recency: Recency,
        embedder: &mut dyn Embedder,
        kernel: &dyn RowDots,
    ) -> Result<Vec<Recalled>, MemoryError> {
        let mut vector = alloc::vec![0.0; embedder.dims()];
        embedder.embed(question, &mut vector)?;
        let open = Filter::default();
        let near = self.indexes.episode_vectors.search(&vector, DEPTH, &open, kernel)?;
        let words = self.indexes.episode_words.search(question, DEPTH, &open);
        let best_word = words.first().map_or(1.0, |hit| hit.score);
        let mut scores: Vec<(u64, f32)> =
            near.iter().map(|hit| (hit.id, MEANING * hit.score.max(0.0))).collect();
        for hit in &words {
            let share = (1.0 - MEANING) * hit.score / best_word;
            match scores.iter_mut().find(|(id, _)| *id == hit.id) {
                Some((_, score)) => *score += share,
                None => scores.push((hit.id, share)),
            }
        }
        let time = |id| self.indexes.episode_words.entry(id).map_or(0, |entry| entry.time);
        scores.iter_mut().for_each(|(id, score)| *score *= recency.factor(time(*id), now));
        // Of equals the newest: ids grow.
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        self.read_episodes(&scores[..scores.len().min(limit)])
    }

    /// The last episodes, newest first.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn recent(&mut self, limit: usize) -> Result<Vec<Recalled>, MemoryError> {
        let mut ids: Vec<(u64, f32)> = self.indexes.episode_words.ids().map(|id| (id, 0.0)).collect();
        ids.reverse();
        ids.truncate(limit);
        self.read_episodes(&ids)
    }

    /// Episodes that cannot be read are left out.
    fn read_episodes(&mut self, scores: &[(u64, f32)]) -> Result<Vec<Recalled>, MemoryError> {
        let mut all = Vec::new();
        for (id, score) in scores.iter().copied().filter(|(_, score)| score.is_finite()) {
            if self.store.read(Kind::Episode.key(id), &mut self.scratch) != Ok(true) {
                continue;
            }
            let Ok(Episode { time, kind, text }) = record::decode(&self.scratch) else { continue };
            all.push(Recalled { id, time, kind, text: text.into(), score });
        }
        Ok(all)
    }
}

/// At most `longest` bytes of a text, cut between characters.
fn clip(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
