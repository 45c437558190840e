// SPDX-License-Identifier: MIT
//! The records that the store holds, and their bodies.
//!
//! Bodies are postcard-encoded structs, but for vectors: a 16-byte header and the values, aligned to 16 bytes on the disk.
//! One design rule: a body never changes its form; a new form gets a new kind. All ids come from one counter.
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use zerocopy::little_endian::{F32, U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::store::{Key, StoreError};

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// [`Source`]
    Source = 1,
    /// [`Passage`]
    Passage = 2,
    /// Vector of a passage, under the passage's id; [`Vector`].
    Vector = 3,
    /// [`Episode`]
    Episode = 4,
    /// [`Fact`]
    Fact = 5,
    /// Vector of an episode, under the episode's id; [`Vector`].
    EpisodeVector = 6,
    /// [`Pair`]
    Pair = 7,
    /// [`AdapterVersion`], under the version's number.
    Adapter = 8,
    /// A part of an adapter's file, as it is; under [`part_id`].
    AdapterPart = 9,
    /// The number of the adapter in use (`u32`), under the base's hash.
    Active = 10,
    /// Whether pairs are collected (`bool`), under 0.
    Learning = 11,
}

/// The id of a part of an adapter's file.
#[must_use]
pub fn part_id(version: u32, part: u32) -> u64 {
    u64::from(version) << 16 | u64::from(part & 0xFFFF)
}

impl Kind {
    /// The key of a record of this kind.
    pub fn key(self, id: u64) -> Key {
        Key { kind: self as u16, id }
    }
}

/// A document, or a note that was typed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source<'a> {
    /// Path on the disk, or a note's name.
    pub path: &'a str,
    /// Hash of the whole document; zeros while it is not completely taken in.
    pub hash: [u8; 16],
    /// Size of the document.
    pub bytes: u64,
    /// When it was last taken in, in seconds since 1970.
    pub time: u64,
}

/// A passage of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage<'a> {
    /// Id of its source.
    pub source: u64,
    /// Where it began in the document when it was added, in bytes.
    pub start: u64,
    /// Hash of heading and text.
    pub hash: [u8; 16],
    /// When it was added, in seconds since 1970.
    pub time: u64,
    /// Headings above it.
    pub heading: &'a str,
    /// The text.
    pub text: &'a str,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// The system started.
    Boot,
    /// A protection domain faulted.
    Fault,
    /// A protection domain was restarted.
    Restart,
    /// A model was loaded, switched or unloaded.
    Model,
    /// A command was given.
    Command,
    /// A turn of a conversation.
    Conversation,
    /// Documents were taken in or removed.
    Documents,
    /// The store or its disk.
    Storage,
}

/// Something that happened, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode<'a> {
    /// When, in seconds since 1970; 0 if no clock was there.
    pub time: u64,
    /// What kind.
    pub kind: EventKind,
    /// One line.
    pub text: &'a str,
}

/// Subject, relation, object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<'a> {
    /// What it is about.
    pub subject: &'a str,
    /// What it says about it.
    pub relation: &'a str,
    /// The other end.
    pub object: &'a str,
    /// The episode that it follows from; `None` if a person said so.
    pub episode: Option<u64>,
    /// Since when it holds, in seconds since 1970.
    pub time: u64,
}

/// Where a pair comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PairKind {
    /// The user gave a better answer.
    Correction,
    /// The user ran a proposed command.
    Accepted,
    /// The user did not run it: it is not to be learnt.
    Refused,
    /// The user marked a turn of a conversation.
    Marked,
}

/// A question with the answer that is to be learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair<'a> {
    /// When, in seconds since 1970; 0 if no clock was there.
    pub time: u64,
    /// Where it comes from.
    pub kind: PairKind,
    /// What was asked.
    pub question: &'a str,
    /// The answer, or the command.
    pub answer: &'a str,
}

/// An adapter: its file lies beside it in parts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterVersion {
    /// First bytes of the SHA-256 of the model that it was made for.
    pub base: [u8; 8],
    /// Bytes of its file.
    pub length: u32,
    /// Their checksum, as the caller computes it.
    pub checksum: u64,
    /// Pairs that it has learnt.
    pub pairs: u32,
    /// The id of the newest of them.
    pub newest: u64,
    /// When it was stored, in seconds since 1970.
    pub time: u64,
    /// Loss on these pairs without it, in nats per token.
    pub before: f32,
    /// Loss with it.
    pub after: f32,
}

/// Encodes a body.
///
/// # Errors
/// [`StoreError::OutOfMemory`].
pub fn encode<T: Serialize>(body: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_allocvec(body).map_err(|_| StoreError::OutOfMemory)
}

/// Decodes a body.
///
/// # Errors
/// [`StoreError::Malformed`].
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|_| StoreError::Malformed)
}

/// Number format of a stored vector: 1 byte and a scale.
pub const FORMAT_Q8: u16 = 1;
/// Number format of a stored vector: 4 bytes.
pub const FORMAT_F32: u16 = 2;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct VectorHeader {
    format: U16,
    dims: U16,
    scale: F32,
    embedding: U64,
}

const VECTOR_HEADER: usize = size_of::<VectorHeader>();
const _: () = assert!(VECTOR_HEADER == 16);

/// A stored vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Vector<'a> {
    /// `value ≈ scale * byte`.
    Q8 { embedding: u64, scale: f32, bytes: &'a [i8] },
    /// Little-endian values, 4 bytes each.
    F32 { embedding: u64, bytes: &'a [u8] },
}

impl<'a> Vector<'a> {
    /// Encodes a vector as Q8.
    pub fn encode_q8(embedding: u64, vector: &[f32]) -> Vec<u8> {
        let mut bytes = alloc::vec![0i8; vector.len()];
        let scale = crate::index::quantize(vector, &mut bytes);
        let mut body = header(FORMAT_Q8, vector.len(), scale, embedding);
        body.extend_from_slice(bytes.as_bytes());
        body
    }

    /// Encodes a vector as F32.
    pub fn encode_f32(embedding: u64, vector: &[f32]) -> Vec<u8> {
        let mut body = header(FORMAT_F32, vector.len(), 1.0, embedding);
        vector.iter().for_each(|value| body.extend_from_slice(&value.to_le_bytes()));
        body
    }

    /// Decodes a body.
    ///
    /// # Errors
    /// [`StoreError::Malformed`].
    pub fn decode(body: &'a [u8]) -> Result<Self, StoreError> {
        let (header, values) = VectorHeader::read_from_prefix(body).map_err(|_| StoreError::Malformed)?;
        let (dims, embedding) = (header.dims.get() as usize, header.embedding.get());
        match header.format.get() {
            FORMAT_Q8 if values.len() == dims => {
                let bytes = <[i8]>::ref_from_bytes(values).map_err(|_| StoreError::Malformed)?;
                Ok(Self::Q8 { embedding, scale: header.scale.get(), bytes })
            }
            FORMAT_F32 if values.len() == dims * 4 => Ok(Self::F32 { embedding, bytes: values }),
            _ => Err(StoreError::Malformed),
        }
    }

    /// The hash of the label of the embedding that made it.
    pub fn embedding(&self) -> u64 {
        match self {
            Self::Q8 { embedding, .. } | Self::F32 { embedding, .. } => *embedding,
        }
    }

    /// The values, replacing what `out` holds.
    pub fn copy_to(&self, out: &mut Vec<f32>) {
        out.clear();
        match self {
            Self::Q8 { scale, bytes, .. } => out.extend(bytes.iter().map(|byte| f32::from(*byte) * scale)),
            Self::F32 { bytes, .. } => {
                out.extend(
                    bytes
                        .chunks_exact(4)
                        .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]])),
                );
            }
        }
    }
}

fn header(format: u16, dims: usize, scale: f32, embedding: u64) -> Vec<u8> {
    let header = VectorHeader {
        format: U16::new(format),
        dims: U16::new(dims as u16),
        scale: F32::new(scale),
        embedding: U64::new(embedding),
    };
    header.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back() {
        let vector = [0.5, -0.25, 0.125, 1.0];
        let mut out = Vec::new();
        let body = Vector::encode_f32(9, &vector);
        Vector::decode(&body).expect("a vector").copy_to(&mut out);
        assert_eq!(out, vector);
        let body = Vector::encode_q8(9, &vector);
        let decoded = Vector::decode(&body).expect("a vector");
        decoded.copy_to(&mut out);
        assert!(out.iter().zip(vector).all(|(a, b)| libm::fabsf(a - b) < 0.005));
        assert_eq!(decoded.embedding(), 9);
    }

    #[test]
    fn bodies_that_lie_are_malformed() {
        let body = Vector::encode_q8(9, &[1.0; 8]);
        assert_eq!(Vector::decode(&body[..20]), Err(StoreError::Malformed));
        assert_eq!(Vector::decode(&[]), Err(StoreError::Malformed));
        assert_eq!(decode::<Source<'_>>(&[200, 1]), Err(StoreError::Malformed));
        assert_eq!(decode::<Source<'_>>(&[2, 0xFF, 0xFE]), Err(StoreError::Malformed));
    }
}
