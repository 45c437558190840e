//! What is proven of the bytes that have arrived.
//!
//! One design rule: bytes are hashed where they are going to be used, after they were copied out of the region that
//! storage and its device can still write; and of a signed model nothing is parsed that is not proven.

use crate::LoadError;
use alloc::string::ToString;
use inference_manifest::{Checker, Mismatch};
use ipc_protocol::signing::Signed;
use sha2::{Digest, Sha256};

/// The model is not the one that was signed.
pub(crate) fn mismatch(name: &str, signed: &Signed, error: Mismatch) -> LoadError {
    LoadError::Mismatch { name: name.to_string(), identity: signed.identity.text().to_string(), error }
}

/// The hash of a model that nobody signed, or the comparison of one with its manifest.
pub(crate) enum Integrity {
    Unsigned(Sha256),
    Signed(Checker, Signed),
}

impl Integrity {
    /// Takes the model's next bytes. `name` is for messages.
    pub fn update(&mut self, name: &str, bytes: &[u8]) -> Result<(), LoadError> {
        match self {
            Self::Unsigned(hash) => hash.update(bytes),
            Self::Signed(checker, signed) => {
                return checker.update(bytes).map_err(|error| mismatch(name, signed, error));
            }
        }
        Ok(())
    }

    /// Bytes to read so that the first `bytes` bytes may be looked at.
    pub fn needed(&self, bytes: u64) -> u64 {
        match self {
            Self::Unsigned(_) => bytes,
            Self::Signed(checker, _) => checker.needed(bytes),
        }
    }

    /// Of so many bytes that have arrived, those that may be looked at.
    pub fn usable(&self, arrived: u64) -> u64 {
        match self {
            Self::Unsigned(_) => arrived,
            Self::Signed(checker, _) => checker.proven(),
        }
    }

    /// Whether nothing is left to prove, and then the first bytes of the file's hash. Of a signed model it is the
    /// signer's: all its chunks were compared.
    pub fn finish(&mut self) -> Option<[u8; 8]> {
        match self {
            Self::Unsigned(hash) => hash.finalize_reset().first_chunk().copied(),
            Self::Signed(checker, _) if checker.is_complete() => {
                checker.manifest().file_hash().first_chunk().copied()
            }
            Self::Signed(..) => None,
        }
    }

    /// Who signed it.
    pub fn signed(&self) -> Option<&Signed> {
        match self {
            Self::Unsigned(_) => None,
            Self::Signed(_, signed) => Some(signed),
        }
    }
}
