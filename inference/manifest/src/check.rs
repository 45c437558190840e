//! Comparing a model with its manifest, piece by piece.

use crate::{Manifest, Mismatch};
use sha2::{Digest, Sha256};

/// Hashes a model from its first byte on, in pieces of any size.
///
/// What was given to [`Checker::update`] is proven up to [`Checker::proven`]; a caller looks at no byte behind that.
#[derive(Clone, Debug)]
pub struct Checker {
    manifest: Manifest,
    hash: Sha256,
    /// Bytes hashed.
    hashed: u64,
}

impl Checker {
    /// Nothing is proven yet.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest, hash: Sha256::new(), hashed: 0 }
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes from the model's start that are as they were signed: whole chunks.
    pub fn proven(&self) -> u64 {
        let size = u64::from(self.manifest.chunk_size());
        if self.hashed == self.manifest.length() { self.hashed } else { self.hashed / size * size }
    }

    /// Bytes that must be given so that the first `bytes` bytes are proven.
    pub fn needed(&self, bytes: u64) -> u64 {
        bytes.next_multiple_of(u64::from(self.manifest.chunk_size())).min(self.manifest.length())
    }

    /// Whether every byte of the model is proven.
    pub fn is_complete(&self) -> bool {
        self.hashed == self.manifest.length()
    }

    /// Compares the length of a file.
    ///
    /// # Errors
    /// [`Mismatch::Length`].
    pub fn check_length(&self, found: u64) -> Result<(), Mismatch> {
        let signed = self.manifest.length();
        if found == signed { Ok(()) } else { Err(Mismatch::Length { found, signed }) }
    }

    /// Takes the model's next bytes.
    ///
    /// # Errors
    /// The first chunk that is not what was signed; from then on nothing more can be proven.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = self.needed(self.hashed + 1);
            let room = end.saturating_sub(self.hashed).min(rest.len() as u64) as usize;
            if room == 0 {
                let (found, signed) = (self.hashed + rest.len() as u64, self.manifest.length());
                return Err(Mismatch::Length { found, signed });
            }
            let (piece, others) = rest.split_at(room);
            self.hash.update(piece);
            self.hashed += room as u64;
            rest = others;
            if self.hashed == end {
                self.compare(end)?;
            }
        }
        Ok(())
    }

    /// Compares the chunk that ends before byte `end`.
    fn compare(&mut self, end: u64) -> Result<(), Mismatch> {
        let chunk = (end - 1) / u64::from(self.manifest.chunk_size());
        let found = self.hash.finalize_reset();
        let signed = self.manifest.hashes().get(chunk as usize);
        if signed.is_some_and(|signed| signed[..] == found[..]) {
            return Ok(());
        }
        let start = chunk * u64::from(self.manifest.chunk_size());
        // Nothing behind a wrong chunk is ever proven.
        self.hashed = start;
        Err(Mismatch::Chunk { chunk, start, end })
    }
}
