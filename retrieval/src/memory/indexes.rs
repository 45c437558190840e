// SPDX-License-Identifier: MIT
//! Everything that is in memory, and how each record of the store changes it.
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::documents::SourceInfo;
use super::{Config, MemoryError};
use crate::embed::Embedder;
use crate::graph::Graph;
use crate::index::{Bm25, Bm25Parameters, Entry, VectorFormat, VectorIndex};
use crate::record::{Episode, Fact, Kind, Passage, Source, Vector, decode};
use crate::store::{Key, StoreError};

pub(super) struct Indexes {
    /// Hash of the label of the embedding in use.
    pub(super) embedding: u64,
    pub(super) vectors: VectorIndex,
    pub(super) words: Bm25,
    pub(super) episode_vectors: VectorIndex,
    pub(super) episode_words: Bm25,
    pub(super) graph: Graph,
    pub(super) sources: BTreeMap<u64, SourceInfo>,
    /// (source, passage)
    pub(super) passages: BTreeSet<(u64, u64)>,
    /// Passages and episodes without a vector of the embedding in use.
    pub(super) unembedded: BTreeSet<Key>,
    pub(super) malformed: usize,
    pub(super) next_id: u64,
}

impl Indexes {
    pub(super) fn new(config: &Config, embedder: &dyn Embedder) -> Self {
        let (dims, parameters) = (embedder.dims(), Bm25Parameters::default());
        Self {
            embedding: embedder.id(),
            vectors: VectorIndex::new(dims, config.vectors, config.max_passages),
            words: Bm25::new(config.max_passages, parameters),
            episode_vectors: VectorIndex::new(dims, VectorFormat::Q8, config.max_episodes),
            episode_words: Bm25::new(config.max_episodes, parameters),
            graph: Graph::new(),
            sources: BTreeMap::new(),
            passages: BTreeSet::new(),
            unembedded: BTreeSet::new(),
            malformed: 0,
            next_id: 1,
        }
    }

    /// Enters a record read from the store; records come in any order.
    pub(super) fn load(&mut self, key: Key, body: &[u8]) -> Result<(), MemoryError> {
        // Adapters, their parts and what is in use have numbers of their own.
        if key.kind <= Kind::Pair as u16 {
            self.next_id = self.next_id.max(key.id.saturating_add(1));
        }
        match self.enter(key, body) {
            Err(MemoryError::Store(StoreError::Malformed)) => {
                self.malformed += 1;
                Ok(())
            }
            other => other,
        }
    }

    fn enter(&mut self, key: Key, body: &[u8]) -> Result<(), MemoryError> {
        let id = key.id;
        match key.kind {
            kind if kind == Kind::Source as u16 => self.source(id, &decode::<Source<'_>>(body)?),
            kind if kind == Kind::Passage as u16 => return self.passage(id, &decode(body)?),
            kind if kind == Kind::Vector as u16 => {
                let entry = self.words.entry(id).unwrap_or(Entry { id, ..Entry::default() });
                return insert_vector(&mut self.vectors, self.embedding, entry, &Vector::decode(body)?);
            }
            kind if kind == Kind::Episode as u16 => return self.episode(id, &decode(body)?),
            kind if kind == Kind::EpisodeVector as u16 => {
                let entry = self.episode_words.entry(id).unwrap_or(Entry { id, ..Entry::default() });
                return insert_vector(
                    &mut self.episode_vectors,
                    self.embedding,
                    entry,
                    &Vector::decode(body)?,
                );
            }
            kind if kind == Kind::Fact as u16 => self.graph.insert(id, &decode::<Fact<'_>>(body)?),
            // Read when they are asked for.
            kind if (Kind::Pair as u16..=Kind::Learning as u16).contains(&kind) => {}
            _ => return Err(StoreError::Malformed.into()),
        }
        Ok(())
    }

    pub(super) fn source(&mut self, id: u64, source: &Source<'_>) {
        let Source { hash, bytes, time, .. } = *source;
        self.sources.insert(id, SourceInfo { id, path: source.path.into(), hash, bytes, time, passages: 0 });
    }

    pub(super) fn passage(&mut self, id: u64, passage: &Passage<'_>) -> Result<(), MemoryError> {
        let entry = Entry { id, source: passage.source, time: passage.time };
        self.words.insert(entry, &searchable(passage.heading, passage.text))?;
        self.vectors.set_entry(entry);
        self.passages.insert((passage.source, id));
        Ok(())
    }

    pub(super) fn episode(&mut self, id: u64, episode: &Episode<'_>) -> Result<(), MemoryError> {
        let entry = Entry { id, source: 0, time: episode.time };
        self.episode_words.insert(entry, episode.text)?;
        self.episode_vectors.set_entry(entry);
        Ok(())
    }

    pub(super) fn forget_passage(&mut self, source: u64, id: u64) {
        self.words.remove(id);
        self.vectors.remove(id);
        self.passages.remove(&(source, id));
        self.unembedded.remove(&Kind::Passage.key(id));
    }

    pub(super) fn passages_of(&self, source: u64) -> impl Iterator<Item = u64> + '_ {
        self.passages.range((source, 0)..=(source, u64::MAX)).map(|(_, passage)| *passage)
    }

    /// After all records are in: vectors without a text go, texts without a vector are noted.
    pub(super) fn finish(&mut self) {
        remove_orphans(&mut self.vectors, &self.words);
        remove_orphans(&mut self.episode_vectors, &self.episode_words);
        let passages =
            self.words.ids().filter(|id| !self.vectors.contains(*id)).map(|id| Kind::Passage.key(id));
        let episodes = self.episode_words.ids().filter(|id| !self.episode_vectors.contains(*id));
        self.unembedded = passages.chain(episodes.map(|id| Kind::Episode.key(id))).collect();
    }
}

fn remove_orphans(vectors: &mut VectorIndex, words: &Bm25) {
    let orphans: Vec<u64> = vectors.ids().filter(|id| !words.contains(*id)).collect();
    for id in orphans {
        vectors.remove(id);
    }
}

/// What is embedded and indexed: a passage's heading says what its text is about.
pub(super) fn searchable(heading: &str, text: &str) -> alloc::string::String {
    if heading.is_empty() { text.into() } else { alloc::format!("{heading}\n{text}") }
}

/// Enters a stored vector; one of another embedding is passed over.
pub(super) fn insert_vector(
    index: &mut VectorIndex,
    embedding: u64,
    entry: Entry,
    vector: &Vector<'_>,
) -> Result<(), MemoryError> {
    if vector.embedding() != embedding {
        return Ok(());
    }
    match vector {
        Vector::Q8 { scale, bytes, .. } => index.insert_q8(entry, bytes, *scale)?,
        Vector::F32 { .. } => {
            let mut values = Vec::new();
            vector.copy_to(&mut values);
            index.insert(entry, &values)?;
        }
    }
    Ok(())
}
