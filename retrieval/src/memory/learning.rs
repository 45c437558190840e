// SPDX-License-Identifier: MIT
//! Pairs to learn from, and the adapters that were learnt from them.
//!
//! One design rule: an adapter exists from the moment its [`AdapterVersion`] is stored, and is in use from the moment
//! one record says so. A power cut before either leaves what was there; parts that belong to no version are removed with
//! the next one.
use alloc::string::String;
use alloc::vec::Vec;

use super::{Memory, MemoryError};
use crate::index::IndexError;
use crate::record::{self, AdapterVersion, Kind, Pair, PairKind, part_id};
use crate::store::{Batch, BlockDevice, Key, StoreError};

/// Most pairs.
pub const MOST_PAIRS: usize = 256;
/// Most bytes of a question and its answer together.
pub const LONGEST_PAIR: usize = 2048;
/// Adapters that are kept; the oldest that is not in use goes first.
pub const MOST_VERSIONS: usize = 4;
/// Bytes of a part.
const PART: usize = 16 * 1024;

/// A pair, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPair {
    /// Its number.
    pub id: u64,
    /// Where it comes from.
    pub kind: PairKind,
    /// What was asked.
    pub question: String,
    /// What is to be learnt.
    pub answer: String,
}

/// An adapter of the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adapter {
    /// Its number, from 1 on.
    pub number: u32,
    /// What is known of it.
    pub version: AdapterVersion,
    /// Whether it is the one in use for its base.
    pub active: bool,
}

impl<D: BlockDevice> Memory<D> {
    fn ids(&self, kind: Kind) -> Vec<u64> {
        self.store.keys(kind as u16).map(|key| key.id).collect()
    }

    fn body<T>(
        &mut self,
        key: Key,
        take: impl FnOnce(&[u8]) -> Result<T, StoreError>,
    ) -> Result<Option<T>, MemoryError> {
        let mut bytes = core::mem::take(&mut self.scratch);
        let read = self.store.read(key, &mut bytes);
        let taken = read.and_then(|there| there.then(|| take(&bytes)).transpose());
        self.scratch = bytes;
        Ok(taken?)
    }

    /// Whether pairs are collected.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn is_learning(&mut self) -> Result<bool, MemoryError> {
        Ok(self.body(Kind::Learning.key(0), |body| record::decode(body))?.unwrap_or(false))
    }

    /// Collects pairs from now on, or no more.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn set_learning(&mut self, on: bool) -> Result<(), MemoryError> {
        self.put(Kind::Learning.key(0), &record::encode(&on)?)
    }

    fn put(&mut self, key: Key, body: &[u8]) -> Result<(), MemoryError> {
        let mut batch = Batch::new();
        batch.put(key, body)?;
        self.store.commit(&batch)?;
        Ok(())
    }

    fn delete(&mut self, keys: impl Iterator<Item = Key>) -> Result<(), MemoryError> {
        let mut batch = Batch::new();
        for key in keys {
            batch.delete(key)?;
        }
        self.store.commit(&batch)?;
        Ok(())
    }

    // ---- pairs ----

    /// Number of pairs.
    #[must_use]
    pub fn pair_count(&self) -> usize {
        self.store.keys(Kind::Pair as u16).count()
    }

    /// Keeps a pair; one with the same question (and, where one of the two was refused, the same answer) is replaced.
    /// Gives its number.
    ///
    /// # Errors
    /// [`MemoryError::BadLength`], [`MemoryError::Index`] when there are too many, [`MemoryError::Store`].
    pub fn keep_pair(&mut self, pair: &Pair<'_>) -> Result<u64, MemoryError> {
        let length = pair.question.len() + pair.answer.len();
        if pair.question.is_empty() || pair.answer.is_empty() || length > LONGEST_PAIR {
            return Err(MemoryError::BadLength { limit: LONGEST_PAIR });
        }
        let refused = |kind| kind == PairKind::Refused;
        let mut replaced = self.pairs()?;
        replaced.retain(|old| {
            let one_refused = refused(old.kind) || refused(pair.kind);
            old.question == pair.question && (!one_refused || old.answer == pair.answer)
        });
        if self.pair_count() >= MOST_PAIRS + replaced.len() {
            return Err(IndexError::Full { limit: MOST_PAIRS }.into());
        }
        let id = self.new_id();
        let mut batch = Batch::new();
        for old in replaced {
            batch.delete(Kind::Pair.key(old.id))?;
        }
        batch.put(Kind::Pair.key(id), &record::encode(pair)?)?;
        self.store.commit(&batch)?;
        Ok(id)
    }

    /// All pairs, oldest first.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn pairs(&mut self) -> Result<Vec<OwnedPair>, MemoryError> {
        let mut pairs = Vec::new();
        for id in self.ids(Kind::Pair) {
            let owned = |body: &[u8]| {
                let Pair { kind, question, answer, .. } = record::decode(body)?;
                Ok(OwnedPair { id, kind, question: question.into(), answer: answer.into() })
            };
            pairs.extend(self.body(Kind::Pair.key(id), owned)?);
        }
        Ok(pairs)
    }

    /// Forgets a pair.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`], [`MemoryError::Store`].
    pub fn forget_pair(&mut self, id: u64) -> Result<(), MemoryError> {
        let key = Kind::Pair.key(id);
        if !self.store.contains(key) {
            return Err(MemoryError::NotFound);
        }
        self.delete(core::iter::once(key))
    }

    /// Forgets all pairs and adapters: how many there were.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn forget_learning(&mut self) -> Result<(usize, usize), MemoryError> {
        let counts = (self.pair_count(), self.ids(Kind::Adapter).len());
        // What is in use goes first: whatever a power cut leaves, nothing names what is gone.
        for kind in [Kind::Active, Kind::Adapter, Kind::AdapterPart, Kind::Pair] {
            self.delete(self.ids(kind).into_iter().map(|id| kind.key(id)))?;
        }
        Ok(counts)
    }

    // ---- adapters ----

    /// The adapter in use for a base; 0: none.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn active(&mut self, base: [u8; 8]) -> Result<u32, MemoryError> {
        let key = Kind::Active.key(u64::from_le_bytes(base));
        Ok(self.body(key, |body| record::decode(body))?.unwrap_or(0))
    }

    /// From now on `version` is the one in use for `base`; 0: none.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`] for a version that does not exist or is for another base; [`MemoryError::Store`].
    pub fn activate(&mut self, base: [u8; 8], version: u32) -> Result<(), MemoryError> {
        if version != 0 && self.version(version)?.is_none_or(|found| found.base != base) {
            return Err(MemoryError::NotFound);
        }
        self.put(Kind::Active.key(u64::from_le_bytes(base)), &record::encode(&version)?)
    }

    fn version(&mut self, number: u32) -> Result<Option<AdapterVersion>, MemoryError> {
        self.body(Kind::Adapter.key(u64::from(number)), |body| record::decode(body))
    }

    /// All adapters, oldest first.
    ///
    /// # Errors
    /// [`MemoryError::Store`].
    pub fn adapters(&mut self) -> Result<Vec<Adapter>, MemoryError> {
        let mut adapters = Vec::new();
        for number in self.ids(Kind::Adapter).into_iter().map(|id| id as u32) {
            let Some(version) = self.version(number)? else { continue };
            let active = self.active(version.base)? == number;
            adapters.push(Adapter { number, version, active });
        }
        Ok(adapters)
    }

    /// Stores an adapter's file; gives its number. The oldest one that is not in use makes room.
    ///
    /// # Errors
    /// [`MemoryError::BadLength`], [`MemoryError::Store`]: then there is no new adapter.
    pub fn keep_adapter(&mut self, version: &AdapterVersion, file: &[u8]) -> Result<u32, MemoryError> {
        if file.len() != version.length as usize || file.is_empty() || file.len() > PART << 16 {
            return Err(MemoryError::BadLength { limit: PART << 16 });
        }
        self.remove_orphans()?;
        self.remove_oldest()?;
        let number = self.ids(Kind::Adapter).last().map_or(1, |last| *last as u32 + 1);
        for (part, bytes) in file.chunks(PART).enumerate() {
            self.put(Kind::AdapterPart.key(part_id(number, part as u32)), bytes)?;
        }
        self.put(Kind::Adapter.key(u64::from(number)), &record::encode(version)?)?;
        Ok(number)
    }

    /// Parts whose version was never stored.
    fn remove_orphans(&mut self) -> Result<(), MemoryError> {
        let mut orphans = self.ids(Kind::AdapterPart);
        orphans.retain(|id| !self.store.contains(Kind::Adapter.key(id >> 16)));
        self.delete(orphans.into_iter().map(|id| Kind::AdapterPart.key(id)))
    }

    fn remove_oldest(&mut self) -> Result<(), MemoryError> {
        let adapters = self.adapters()?;
        let beyond = (adapters.len() + 1).saturating_sub(MOST_VERSIONS);
        for old in adapters.iter().filter(|adapter| !adapter.active).take(beyond) {
            self.remove_adapter(old.number)?;
        }
        Ok(())
    }

    fn remove_adapter(&mut self, number: u32) -> Result<(), MemoryError> {
        let mut parts = self.ids(Kind::AdapterPart);
        parts.retain(|id| id >> 16 == u64::from(number));
        let parts = parts.into_iter().map(|id| Kind::AdapterPart.key(id));
        self.delete(core::iter::once(Kind::Adapter.key(u64::from(number))).chain(parts))
    }

    /// Reads an adapter's file into `out`, replacing what it holds.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`]; [`MemoryError::Store`], [`StoreError::Malformed`] where parts are missing.
    pub fn read_adapter(&mut self, number: u32, out: &mut Vec<u8>) -> Result<AdapterVersion, MemoryError> {
        let version = self.version(number)?.ok_or(MemoryError::NotFound)?;
        out.clear();
        for part in 0..(version.length as usize).div_ceil(PART) as u32 {
            self.body(Kind::AdapterPart.key(part_id(number, part)), |body| {
                out.try_reserve(body.len()).map_err(|_| StoreError::OutOfMemory)?;
                out.extend_from_slice(body);
                Ok(())
            })?;
        }
        if out.len() != version.length as usize {
            return Err(StoreError::Malformed.into());
        }
        Ok(version)
    }
}
