//! What a ring needs of a region: ordered loads and stores of words. Regions give it, and so do loom's atomics.

use core::sync::atomic::Ordering;
use memory_region::{Readable, Writable};

/// A region whose words can be loaded.
pub trait Load {
    /// Size in words.
    fn words(&self) -> usize;
    /// The word at `index`, 0 past the end.
    fn load(&self, index: usize, order: Ordering) -> u64;
}

/// A region that this side owns.
pub trait Store: Load {
    /// Stores a word; past the end nothing happens.
    fn store(&self, index: usize, value: u64, order: Ordering);
}

impl Load for Readable<'_> {
    fn words(&self) -> usize {
        Readable::words(self)
    }
    fn load(&self, index: usize, order: Ordering) -> u64 {
        Readable::load(self, index, order)
    }
}

impl Load for Writable<'_> {
    fn words(&self) -> usize {
        Writable::words(self)
    }
    fn load(&self, index: usize, order: Ordering) -> u64 {
        Writable::load(self, index, order)
    }
}

impl Store for Writable<'_> {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        Writable::store(self, index, value, order)
    }
}

#[cfg(not(loom))]
pub(crate) fn fence() {
    core::sync::atomic::fence(Ordering::SeqCst);
}

#[cfg(loom)]
pub(crate) fn fence() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}
