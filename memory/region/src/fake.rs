//! Memory for tests (feature `fake`): a region that lives as long as the process, in as many views as a test needs.

use crate::{Readable, WORD, Writable};
use core::sync::atomic::AtomicU64;
use std::boxed::Box;

/// A region; views of it may be made again, as a PD that restarts gets its regions again.
#[derive(Clone, Copy)]
pub struct Region(&'static [AtomicU64]);

impl Region {
    /// A region of `bytes` bytes of zeros, never freed.
    pub fn new(bytes: usize) -> Self {
        Self(Box::leak((0..bytes / WORD).map(|_| AtomicU64::new(0)).collect()))
    }
    /// As its writer sees it.
    pub fn writable(&self) -> Writable<'static> {
        Writable(self.0)
    }
    /// As its readers see it.
    pub fn readable(&self) -> Readable<'static> {
        Readable(self.0)
    }
}
