// SPDX-License-Identifier: MIT
//! Memory: the store and the indexes over it as one thing, which a retriever's server drives.
//!
//! One design rule: first commit, then change the indexes; so whatever a search finds is on the disk, and after a power cut
//! [`Memory::open`] makes the same indexes from the store alone. Limits: those of [`Config`].

mod budget;
mod documents;
mod error;
mod events;
mod facts;
mod indexes;
mod learning;
mod open;
mod reembed;
mod search;

use indexes::Indexes;

pub use budget::{heap_for, passages_for};
pub use documents::{Ingest, Progress, SourceInfo};
pub use error::MemoryError;
pub use events::Recalled;
pub use learning::{Adapter, LONGEST_PAIR, MOST_PAIRS, MOST_VERSIONS, OwnedPair};
pub use search::{Answer, Found, Mode, Query};

use alloc::vec::Vec;

use crate::chunk::Limits;
use crate::index::VectorFormat;
use crate::store::{BlockDevice, Options, Recovery, Store, Usage};

/// Sizes and formats, chosen once.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The store's own options.
    pub store: Options,
    /// Passages held at most.
    pub max_passages: usize,
    /// Episodes held at most; beyond, the oldest are forgotten.
    pub max_episodes: usize,
    /// Facts held at most.
    pub max_facts: usize,
    /// How passages' vectors are kept in memory.
    pub vectors: VectorFormat,
    /// Keep exact vectors on the disk (4 bytes per value, not 1) and rank the best hits anew by them.
    pub exact: bool,
    /// Sizes of passages.
    pub chunks: Limits,
    /// Passages taken in, or embedded anew, in one step at most: bounds how long a step takes.
    pub step: usize,
    /// Passages are stored, and found by their words, before they have vectors; `embed_step` makes these.
    pub embed_later: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: Options::default(),
            max_passages: 100_000,
            max_episodes: 10_000,
            max_facts: 10_000,
            vectors: VectorFormat::Q8,
            exact: true,
            chunks: Limits::default(),
            step: 8,
            embed_later: false,
        }
    }
}

/// Documents, episodes and facts on one partition.
pub struct Memory<D> {
    store: Store<D>,
    config: Config,
    indexes: Indexes,
    recovery: Recovery,
    scratch: Vec<u8>,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Documents and notes.
    pub sources: usize,
    /// Passages.
    pub passages: usize,
    /// Passages and episodes without a vector of the embedding in use: only words find them until `embed_step` is through.
    pub unembedded: usize,
    /// Records that could not be understood when the memory was opened.
    pub malformed: usize,
    /// Episodes.
    pub episodes: usize,
    /// Facts.
    pub facts: usize,
    /// Bytes that a vector search reads.
    pub vector_bytes: usize,
    /// How full the disk is.
    pub usage: Usage,
}

impl<D: BlockDevice> Memory<D> {
    /// What opening the store found: for `status`, and for an episode if it is damage.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// How much there is of everything.
    pub fn counts(&self) -> Counts {
        Counts {
            sources: self.indexes.sources.len(),
            passages: self.indexes.words.len(),
            unembedded: self.indexes.unembedded.len(),
            malformed: self.indexes.malformed,
            episodes: self.indexes.episode_words.len(),
            facts: self.indexes.graph.len(),
            vector_bytes: self.indexes.vectors.vector_bytes(),
            usage: self.store.usage(),
        }
    }

    /// Compacts a little, if that is worthwhile; call it while idle. Returns whether there may be more to do.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn tidy(&mut self) -> Result<bool, MemoryError> {
        let usage = self.store.usage();
        let garbage = usage.used.saturating_sub(usage.live);
        if garbage * 4 < usage.log || garbage * 2 < usage.used {
            return Ok(false);
        }
        self.store.compact_step()?;
        Ok(true)
    }

    /// Notes on the disk how far the store is acknowledged; before a planned power-off.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn checkpoint(&mut self) -> Result<(), MemoryError> {
        Ok(self.store.checkpoint()?)
    }

    /// The last durable sequence: kept elsewhere, it is a witness against a disk that lies.
    pub fn sequence(&self) -> u64 {
        self.store.sequence()
    }

    /// Gives the device back.
    pub fn into_device(self) -> D {
        self.store.into_device()
    }

    fn new_id(&mut self) -> u64 {
        self.indexes.next_id += 1;
        self.indexes.next_id - 1
    }
}
