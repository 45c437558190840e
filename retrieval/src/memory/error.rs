// SPDX-License-Identifier: MIT
//! Errors of the whole, by the part that they come from.
use core::fmt;

use crate::chunk::ChunkError;
use crate::embed::EmbedError;
use crate::index::IndexError;
use crate::store::StoreError;

/// What went wrong, and so what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// The store; on [`StoreError::Full`] remove something, on [`StoreError::Poisoned`] open again.
    Store(StoreError),
    /// An index is full, or does not fit the embedding.
    Index(IndexError),
    /// The embedding failed.
    Embed(EmbedError),
    /// The document is no text, or too large.
    Chunk(ChunkError),
    /// The file's ending is none that is read.
    UnknownFormat,
    /// No such source or fact: list them.
    NotFound,
    /// A text is empty or too long for what it is for.
    BadLength { limit: usize },
}

impl From<StoreError> for MemoryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<IndexError> for MemoryError {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl From<EmbedError> for MemoryError {
    fn from(error: EmbedError) -> Self {
        Self::Embed(error)
    }
}

impl From<ChunkError> for MemoryError {
    fn from(error: ChunkError) -> Self {
        Self::Chunk(error)
    }
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Index(error) => error.fmt(f),
            Self::Embed(error) => error.fmt(f),
            Self::Chunk(error) => error.fmt(f),
            Self::UnknownFormat => f.write_str("only .md, .txt, .rst, .c, .h, .rs and .py are read"),
            Self::NotFound => f.write_str("there is no such entry; list them to see what there is"),
            Self::BadLength { limit } => write!(f, "the text must have 1 to {limit} bytes"),
        }
    }
}

impl core::error::Error for MemoryError {}
