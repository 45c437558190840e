//! Making a manifest.

use crate::layout::{Head, chunks};
use crate::{FORMAT, HASH, IDENTITY, MAGIC, MAX_CHUNK, MIN_CHUNK, ManifestError, SIGNATURE};
use alloc::vec::Vec;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use zerocopy::IntoBytes;

/// Most chunks for which smaller ones are chosen: a manifest of at most 32 KiB.
const WANTED_CHUNKS: u64 = 1024;

/// A manifest whose model is still being read.
#[derive(Clone, Debug)]
pub struct Draft {
    head: Head,
    hashes: Vec<[u8; HASH]>,
    chunk: Sha256,
    file: Sha256,
    hashed: u64,
}

fn chunk_size(length: u64) -> u32 {
    let mut size = MIN_CHUNK;
    while size < MAX_CHUNK && chunks(length, size) > WANTED_CHUNKS {
        size *= 2;
    }
    size
}

impl Draft {
    /// A manifest of the model `identity`, release `version`, of `length` bytes.
    ///
    /// # Errors
    /// A name, version or length that a manifest cannot hold.
    pub fn new(identity: &str, version: u64, length: u64) -> Result<Self, ManifestError> {
        let mut name = [0; IDENTITY];
        name.get_mut(..identity.len()).ok_or(ManifestError::Identity)?.copy_from_slice(identity.as_bytes());
        let size = chunk_size(length);
        let head = Head {
            magic: MAGIC,
            format: FORMAT.into(),
            chunk_size: size.into(),
            version: version.into(),
            length: length.into(),
            chunks: u32::try_from(chunks(length, size)).unwrap_or(u32::MAX).into(),
            reserved: 0.into(),
            key: [0; 32],
            file: [0; HASH],
            identity: name,
        };
        head.check()?;
        Ok(Self { head, hashes: Vec::new(), chunk: Sha256::new(), file: Sha256::new(), hashed: 0 })
    }

    /// Takes the model's next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.file.update(bytes);
        let size = u64::from(self.head.chunk_size.get());
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = (size - self.hashed % size).min(rest.len() as u64) as usize;
            self.chunk.update(&rest[..room]);
            self.hashed += room as u64;
            rest = &rest[room..];
            if self.hashed.is_multiple_of(size) {
                self.hashes.push(self.chunk.finalize_reset().into());
            }
        }
    }

    /// The manifest's bytes.
    ///
    /// # Errors
    /// [`ManifestError::ModelLength`]: more or fewer bytes were given than were announced.
    pub fn sign(mut self, key: &SigningKey) -> Result<Vec<u8>, ManifestError> {
        if self.hashed != self.head.length.get() {
            return Err(ManifestError::ModelLength { length: self.hashed });
        }
        if !self.hashed.is_multiple_of(self.head.chunk_size.get().into()) {
            self.hashes.push(self.chunk.finalize().into());
        }
        self.head.key = key.verifying_key().to_bytes();
        self.head.file = self.file.finalize().into();
        let mut bytes = Vec::with_capacity(crate::HEAD + self.hashes.len() * HASH + SIGNATURE);
        bytes.extend_from_slice(self.head.as_bytes());
        bytes.extend_from_slice(self.hashes.as_bytes());
        let signature = key.sign(&bytes);
        bytes.extend_from_slice(&signature.to_bytes());
        Ok(bytes)
    }
}
