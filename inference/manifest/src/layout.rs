//! The fixed part of a manifest.

use crate::{HASH, IDENTITY, MAX_CHUNK, MAX_CHUNKS, MIN_CHUNK, ManifestError};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first bytes of a manifest. Behind it: a SHA-256 for each chunk, then the signature over all that lies before it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Head {
    /// [`crate::MAGIC`].
    pub magic: [u8; 8],
    /// [`crate::FORMAT`].
    pub format: U32,
    /// Bytes of every chunk but the last: a power of two.
    pub chunk_size: U32,
    /// Counts up with each release of a model.
    pub version: U64,
    /// Bytes of the model.
    pub length: U64,
    /// Number of chunks.
    pub chunks: U32,
    /// 0.
    pub reserved: U32,
    /// The signer's public key (RFC 8032).
    pub key: [u8; 32],
    /// SHA-256 of the whole file.
    pub file: [u8; HASH],
    /// The model's name in UTF-8, filled up with zeros.
    pub identity: [u8; IDENTITY],
}

const _: () = assert!(size_of::<Head>() == 152);

/// Chunks of a model of `length` bytes.
pub fn chunks(length: u64, chunk_size: u32) -> u64 {
    length.div_ceil(u64::from(chunk_size.max(1)))
}

impl Head {
    /// Checks every field that a signature does not make right.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.format != crate::FORMAT {
            return Err(ManifestError::Format { found: self.format.get() });
        }
        let (size, length) = (self.chunk_size.get(), self.length.get());
        if !size.is_power_of_two() || !(MIN_CHUNK..=MAX_CHUNK).contains(&size) {
            return Err(ManifestError::ChunkSize { found: size });
        }
        let (found, expected) = (self.chunks.get(), chunks(length, size));
        if length == 0 || expected > MAX_CHUNKS {
            return Err(ManifestError::ModelLength { length });
        }
        if u64::from(found) != expected {
            return Err(ManifestError::ChunkCount { found, expected });
        }
        if self.reserved != 0 {
            return Err(ManifestError::Reserved);
        }
        if self.version == 0 {
            return Err(ManifestError::Version);
        }
        self.identity().map(|_| ())
    }

    /// The name: 1 to [`IDENTITY`] bytes of printable UTF-8, then zeros only.
    pub fn identity(&self) -> Result<&str, ManifestError> {
        let end = self.identity.iter().position(|byte| *byte == 0).unwrap_or(IDENTITY);
        let (name, rest) = self.identity.split_at(end);
        let name = core::str::from_utf8(name).map_err(|_| ManifestError::Identity)?;
        let clean =
            !name.is_empty() && !name.contains(char::is_control) && rest.iter().all(|byte| *byte == 0);
        if clean { Ok(name) } else { Err(ManifestError::Identity) }
    }
}
