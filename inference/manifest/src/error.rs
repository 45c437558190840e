//! What is wrong with a manifest, or with a model beside it.

use crate::{IDENTITY, KeyId, MAX_CHUNKS};
use core::fmt;

/// Why a manifest is refused. The text goes on from the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// It does not begin as a manifest does: another file, or an empty one.
    Magic { bytes: usize },
    /// Made by another release of the tools: sign again.
    Format { found: u32 },
    /// A chunk size that no tool writes.
    ChunkSize { found: u32 },
    /// No model has this length.
    ModelLength { length: u64 },
    /// The number of chunks does not follow from the length.
    ChunkCount { found: u32, expected: u64 },
    /// A reserved field is in use.
    Reserved,
    /// Versions begin with 1.
    Version,
    /// The name is empty, too long or not printable.
    Identity,
    /// Bytes are missing or too many.
    Length { found: usize, expected: usize },
    /// The signer is not among the trusted keys.
    UnknownKey { key: KeyId },
    /// The signature does not belong to these bytes.
    Signature,
    /// There is no memory for the hashes.
    NoMemory,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic { bytes } => {
                write!(f, "is not a manifest ({bytes} bytes, not starting with CLSTMODL)")
            }
            Self::Format { found } => write!(f, "has format {found}, known is {}: sign again", crate::FORMAT),
            Self::ChunkSize { found } => {
                write!(f, "is damaged: chunks of {found} bytes, not a power of two from 64 KiB to 1 MiB")
            }
            Self::ModelLength { length } => {
                write!(
                    f,
                    "is of a model of {length} bytes; 1 byte to {MAX_CHUNKS} chunks of 1 MiB are possible"
                )
            }
            Self::ChunkCount { found, expected } => {
                write!(f, "is damaged: {found} chunks, but its model has {expected}")
            }
            Self::Reserved => write!(f, "is damaged: a reserved field is not 0"),
            Self::Version => write!(f, "has version 0; versions begin with 1"),
            Self::Identity => {
                write!(f, "has a model name that is not 1 to {IDENTITY} bytes of printable text")
            }
            Self::Length { found, expected } => write!(f, "has {found} bytes, its manifest {expected}"),
            Self::UnknownKey { key } => write!(f, "is signed by key {key}, which this image does not trust"),
            Self::Signature => write!(f, "has a wrong signature: it was changed after it was signed"),
            Self::NoMemory => write!(f, "names more chunks than there is memory for"),
        }
    }
}

impl core::error::Error for ManifestError {}

/// Why a model is not the one that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is longer or shorter.
    Length { found: u64, signed: u64 },
    /// The bytes from `start` to before `end` are others.
    Chunk { chunk: u64, start: u64, end: u64 },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, signed } if found < signed => {
                write!(f, "truncated, or another model: {found} bytes, signed are {signed}")
            }
            Self::Length { found, signed } => write!(f, "another model: {found} bytes, signed are {signed}"),
            Self::Chunk { chunk, start, end } => {
                write!(f, "chunk {chunk} (bytes {start} to {}) is not what was signed", end - 1)
            }
        }
    }
}

impl core::error::Error for Mismatch {}
