// SPDX-License-Identifier: MIT
//! Search over what the store holds: exact vectors, BM25, and both fused.
//!
//! One design rule: an index is memory only, built from the store's records in any order, and changed in step with it.
//! Limits: every structure takes a maximum at creation; scores of different parts are not comparable, their ranks are.

mod bm25;
mod dot;
mod fusion;
mod tokens;
mod topk;
mod vectors;

pub use bm25::{Bm25, Bm25Parameters};
pub use dot::{PortableDots, Query8, RowDots};
pub use fusion::{Ranked, RrfParameters, fuse};
pub use tokens::{for_each_token, token_hash};
pub use topk::TopK;
pub use vectors::{VectorFormat, VectorIndex, dequantize, quantize};

use core::fmt;

/// What is known about a passage besides its words and its vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The passage's id.
    pub id: u64,
    /// The source that it comes from.
    pub source: u64,
    /// When it was added, in seconds since 1970.
    pub time: u64,
}

/// Which passages may be found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only these sources.
    pub sources: Option<&'a [u64]>,
    /// Only from this time on, in seconds since 1970.
    pub since: Option<u64>,
    /// Only before this time.
    pub until: Option<u64>,
}

impl Filter<'_> {
    /// True if nothing is filtered out.
    pub fn is_open(&self) -> bool {
        self.sources.is_none() && self.since.is_none() && self.until.is_none()
    }

    /// True if the passage may be found.
    pub fn admits(&self, entry: &Entry) -> bool {
        self.sources.is_none_or(|sources| sources.contains(&entry.source))
            && self.since.is_none_or(|since| entry.time >= since)
            && self.until.is_none_or(|until| entry.time < until)
    }
}

/// A passage that was found, and how well it fits: cosine, BM25 score, or fused score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The passage's id.
    pub id: u64,
    /// Higher is better.
    pub score: f32,
}

/// Why an index refused something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexError {
    /// As many passages as memory was planned for: remove some first.
    Full { limit: usize },
    /// The vector has another length than the index: it comes from another embedding.
    WrongDimensions { expected: usize, found: usize },
    /// The vector holds a NaN or infinity.
    NotFinite,
    /// No memory.
    OutOfMemory,
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { limit } => {
                write!(f, "the index holds its limit of {limit} passages; remove some first")
            }
            Self::WrongDimensions { expected, found } => {
                write!(
                    f,
                    "a vector of {found} dimensions for an index of {expected}: another embedding made it"
                )
            }
            Self::NotFinite => f.write_str("a vector holds a value that is not finite"),
            Self::OutOfMemory => f.write_str("no memory for the index"),
        }
    }
}

impl core::error::Error for IndexError {}
