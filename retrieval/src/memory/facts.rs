// SPDX-License-Identifier: MIT
//! Facts: told by a person, or drawn from episodes by rules.
use super::{Memory, MemoryError};
use crate::graph::{FactRow, LONGEST};
use crate::record::{self, Fact, Kind};
use crate::store::{Batch, BlockDevice};

impl<D: BlockDevice> Memory<D> {
    /// Adds a fact, replacing the same one if it is known; returns its id.
    ///
    /// # Errors
    /// [`MemoryError::BadLength`], [`MemoryError::Index`] when there are too many, [`MemoryError::Store`].
    pub fn add_fact(
        &mut self,
        subject: &str,
        relation: &str,
        object: &str,
        time: u64,
    ) -> Result<u64, MemoryError> {
        let parts = [subject, relation, object].map(str::trim);
        if parts.iter().any(|part| part.is_empty() || part.len() > LONGEST) {
            return Err(MemoryError::BadLength { limit: LONGEST });
        }
        let [subject, relation, object] = parts;
        let known =
            self.indexes.graph.find(subject, relation).find(|row| row.object == object).map(|row| row.id);
        self.replace_facts(known.as_slice(), &Fact { subject, relation, object, episode: None, time })
    }

    /// Writes a fact and deletes those that it replaces, in one batch.
    pub(super) fn replace_facts(&mut self, outdated: &[u64], fact: &Fact<'_>) -> Result<u64, MemoryError> {
        let limit = self.config.max_facts;
        if self.indexes.graph.len() + 1 > limit + outdated.len() {
            return Err(crate::index::IndexError::Full { limit }.into());
        }
        let id = self.new_id();
        let mut batch = Batch::new();
        for old in outdated {
            batch.delete(Kind::Fact.key(*old))?;
        }
        batch.put(Kind::Fact.key(id), &record::encode(fact)?)?;
        self.store.commit(&batch)?;
        outdated.iter().for_each(|old| drop(self.indexes.graph.remove(*old)));
        self.indexes.graph.insert(id, fact);
        Ok(id)
    }

    /// Forgets a fact.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`], [`MemoryError::Store`].
    pub fn forget_fact(&mut self, id: u64) -> Result<(), MemoryError> {
        self.indexes.graph.get(id).ok_or(MemoryError::NotFound)?;
        let mut batch = Batch::new();
        batch.delete(Kind::Fact.key(id))?;
        self.store.commit(&batch)?;
        self.indexes.graph.remove(id);
        Ok(())
    }

    /// All facts, oldest first.
    pub fn facts(&self) -> impl Iterator<Item = &FactRow> {
        self.indexes.graph.iter()
    }
}
