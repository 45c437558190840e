// SPDX-License-Identifier: MIT
//! Making the indexes from the store.
use alloc::vec::Vec;

use super::indexes::Indexes;
use super::{Config, Memory, MemoryError};
use crate::embed::Embedder;
use crate::store::{BlockDevice, Recovery, Store};

impl<D: BlockDevice> Memory<D> {
    /// Makes an empty memory, forgetting whatever the partition held.
    ///
    /// # Errors
    /// As [`Store::format`].
    pub fn format(device: D, config: Config, embedder: &dyn Embedder) -> Result<Self, MemoryError> {
        let store = Store::format(device, &config.store)?;
        Self::load(store, Recovery::default(), config, embedder)
    }

    /// Opens a memory and builds its indexes.
    ///
    /// # Errors
    /// As [`Store::open`]; [`MemoryError::Index`] if there is more than the configuration has room for.
    pub fn open(device: D, config: Config, embedder: &dyn Embedder) -> Result<Self, MemoryError> {
        let (store, recovery) = Store::open(device, &config.store)?;
        Self::load(store, recovery, config, embedder)
    }

    /// As [`open`](Self::open), for a partition whose superblocks are lost.
    ///
    /// # Errors
    /// As [`Store::salvage`].
    pub fn salvage(device: D, config: Config, embedder: &dyn Embedder) -> Result<Self, MemoryError> {
        let (store, recovery) = Store::salvage(device, &config.store)?;
        Self::load(store, recovery, config, embedder)
    }

    fn load(
        mut store: Store<D>,
        recovery: Recovery,
        config: Config,
        embedder: &dyn Embedder,
    ) -> Result<Self, MemoryError> {
        let mut indexes = Indexes::new(&config, embedder);
        let mut loaded = Ok(());
        store.visit(|key, body| {
            if loaded.is_ok() {
                loaded = indexes.load(key, body);
            }
        })?;
        loaded?;
        indexes.finish();
        Ok(Self { store, config, indexes, recovery, scratch: Vec::new() })
    }
}
