// SPDX-License-Identifier: MIT
//! Questions: passages by meaning, by words, or by both.
use alloc::string::String;
use alloc::vec::Vec;

use super::{Memory, MemoryError};
use crate::embed::Embedder;
use crate::graph::FactRow;
use crate::index::{Filter, Hit, Ranked, RowDots, RrfParameters, VectorIndex, fuse};
use crate::record::{self, Kind, Passage, Vector};
use crate::store::{BlockDevice, Store, StoreError};

/// Hits of each part that are fused.
const DEPTH: usize = 50;

/// What decides the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Cosine of the vectors.
    Vector,
    /// BM25 of the words.
    Words,
    /// Both, by their ranks; with the hash fallback, by words.
    #[default]
    Hybrid,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// In ordinary words.
    pub text: &'a str,
    /// Passages wanted at most.
    pub limit: usize,
    /// What decides the order.
    pub mode: Mode,
    /// Which passages may be found.
    pub filter: Filter<'a>,
}

/// A passage that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The passage's id.
    pub id: u64,
    /// Its source's id.
    pub source: u64,
    /// Its source's path, or a note's name.
    pub path: String,
    /// Headings above it.
    pub heading: String,
    /// The text.
    pub text: String,
    /// Cosine, BM25 score or fused score, as the mode says.
    pub score: f32,
    /// Cosine of its vector with the question's, where vectors were searched: what to show people.
    pub cosine: Option<f32>,
}

/// Passages, and facts about what they and the question name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Best first.
    pub passages: Vec<Found>,
    /// Named most often first.
    pub facts: Vec<FactRow>,
    /// Passages that could not be read: the disk changed them.
    pub unreadable: usize,
}

impl<D: BlockDevice> Memory<D> {
    /// The passages that fit a question best, and up to `limit` facts that they or the question lead to.
    ///
    /// # Errors
    /// [`MemoryError::Embed`], [`MemoryError::Index`], [`MemoryError::Store`] if the disk fails.
    pub fn search(
        &mut self,
        query: &Query<'_>,
        embedder: &mut dyn Embedder,
        kernel: &dyn RowDots,
    ) -> Result<Answer, MemoryError> {
        let by_vector = match query.mode {
            Mode::Words => Vec::new(),
            Mode::Vector | Mode::Hybrid => self.by_vector(query, embedder, kernel)?,
        };
        let mode = match query.mode {
            Mode::Hybrid if !embedder.finds_meaning() => Mode::Words,
            mode => mode,
        };
        let ranked = self.rank(&Query { mode, ..*query }, &by_vector);
        let mut answer = Answer::default();
        for hit in ranked {
            match self.found(hit) {
                Ok(Some(mut found)) => {
                    found.cosine = by_vector.iter().find(|other| other.id == hit.id).map(|other| other.score);
                    answer.passages.push(found);
                }
                Ok(None) | Err(MemoryError::Store(StoreError::Corrupt { .. } | StoreError::Malformed)) => {
                    answer.unreadable += 1;
                }
                Err(error) => return Err(error),
            }
        }
        let mut texts: Vec<&str> = answer.passages.iter().map(|found| found.text.as_str()).collect();
        texts.push(query.text);
        answer.facts = self.indexes.graph.about(&texts, query.limit).into_iter().cloned().collect();
        Ok(answer)
    }

    fn by_vector(
        &mut self,
        query: &Query<'_>,
        embedder: &mut dyn Embedder,
        kernel: &dyn RowDots,
    ) -> Result<Vec<Hit>, MemoryError> {
        if self.indexes.vectors.is_empty() {
            return Ok(Vec::new());
        }
        let mut vector = alloc::vec![0.0; embedder.dims()];
        embedder.embed(query.text, &mut vector)?;
        let depth = query.limit.max(DEPTH);
        let mut hits = self.indexes.vectors.search(&vector, depth, &query.filter, kernel)?;
        if self.config.exact {
            let (store, scratch) = (&mut self.store, &mut self.scratch);
            VectorIndex::rerank(&vector, &mut hits, |id, out| fetch_vector(store, id, scratch, out));
        }
        Ok(hits)
    }

    fn rank(&self, query: &Query<'_>, by_vector: &[Hit]) -> Vec<Hit> {
        if query.mode == Mode::Vector {
            return by_vector.iter().copied().take(query.limit).collect();
        }
        let by_words = self.indexes.words.search(query.text, query.limit.max(DEPTH), &query.filter);
        if query.mode == Mode::Words {
            return by_words.into_iter().take(query.limit).collect();
        }
        let fusion = RrfParameters::default();
        let vectors = Ranked { hits: by_vector, weight: fusion.vectors };
        let words = Ranked { hits: &by_words, weight: fusion.words };
        fuse(&[vectors, words], query.limit, fusion)
    }

    fn found(&mut self, hit: Hit) -> Result<Option<Found>, MemoryError> {
        if !self.store.read(Kind::Passage.key(hit.id), &mut self.scratch)? {
            return Ok(None);
        }
        let passage: Passage<'_> = record::decode(&self.scratch)?;
        let path = self.indexes.sources.get(&passage.source).map(|source| source.path.clone());
        Ok(Some(Found {
            id: hit.id,
            source: passage.source,
            path: path.unwrap_or_default(),
            heading: passage.heading.into(),
            text: passage.text.into(),
            score: hit.score,
            cosine: None,
        }))
    }
}

/// Reads a vector for the second, exact ranking; `false` leaves the hit's first score.
fn fetch_vector<D: BlockDevice>(
    store: &mut Store<D>,
    id: u64,
    scratch: &mut Vec<u8>,
    out: &mut Vec<f32>,
) -> bool {
    let read = store.read(Kind::Vector.key(id), scratch) == Ok(true);
    let vector = read.then(|| Vector::decode(scratch).ok()).flatten();
    vector.map(|vector| vector.copy_to(out)).is_some()
}
