// SPDX-License-Identifier: MIT
//! After the embedding has changed (a model file came, or went): new vectors for old texts, step by step.
use alloc::string::String;
use alloc::vec::Vec;

use super::indexes::{insert_vector, searchable};
use super::{Memory, MemoryError};
use crate::embed::Embedder;
use crate::index::Entry;
use crate::record::{self, Episode, Kind, Passage, Vector};
use crate::store::{Batch, BlockDevice, Key, StoreError};

impl<D: BlockDevice> Memory<D> {
    /// Gives the next few texts a vector of the embedding in use; returns how many are left.
    ///
    /// # Errors
    /// [`MemoryError::Embed`], [`MemoryError::Index`], [`MemoryError::Store`].
    pub fn embed_step(&mut self, embedder: &mut dyn Embedder) -> Result<usize, MemoryError> {
        let keys: Vec<Key> = self.indexes.unembedded.iter().copied().take(self.config.step.max(1)).collect();
        let mut batch = Batch::new();
        let mut made = Vec::new();
        for key in &keys {
            let Some((entry, text)) = self.text_of(*key)? else { continue };
            let vector = self.embed(&text, embedder)?;
            batch.put(vector_key(*key), &vector)?;
            made.push((*key, entry, vector));
        }
        self.store.commit(&batch)?;
        let embedding = self.indexes.embedding;
        for (key, entry, vector) in made {
            let passage = key.kind == Kind::Passage as u16;
            let index = if passage { &mut self.indexes.vectors } else { &mut self.indexes.episode_vectors };
            insert_vector(index, embedding, entry, &Vector::decode(&vector)?)?;
        }
        for key in keys {
            self.indexes.unembedded.remove(&key);
        }
        Ok(self.indexes.unembedded.len())
    }

    /// What is embedded of a passage or an episode; `None` if it cannot be read.
    fn text_of(&mut self, key: Key) -> Result<Option<(Entry, String)>, MemoryError> {
        match self.store.read(key, &mut self.scratch) {
            Ok(true) => (),
            Ok(false) | Err(StoreError::Corrupt { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if key.kind == Kind::Episode as u16 {
            let episode: Episode<'_> = record::decode(&self.scratch)?;
            return Ok(Some((Entry { id: key.id, source: 0, time: episode.time }, episode.text.into())));
        }
        let passage: Passage<'_> = record::decode(&self.scratch)?;
        let entry = Entry { id: key.id, source: passage.source, time: passage.time };
        Ok(Some((entry, searchable(passage.heading, passage.text))))
    }
}

/// Where the vector of a text is stored.
fn vector_key(text: Key) -> Key {
    if text.kind == Kind::Episode as u16 {
        Kind::EpisodeVector.key(text.id)
    } else {
        Kind::Vector.key(text.id)
    }
}
