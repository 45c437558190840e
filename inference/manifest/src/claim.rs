//! From bytes to a claim, from a claim to a manifest.

use crate::layout::Head;
use crate::{HASH, HEAD, KeyId, MAGIC, ManifestError, SIGNATURE};
use alloc::vec::Vec;
use ed25519_dalek::{Signature, VerifyingKey};
use zerocopy::FromBytes;

/// Well-formed bytes: what they say is not proven.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    head: &'a Head,
    hashes: &'a [[u8; HASH]],
    signed: &'a [u8],
    signature: &'a [u8; SIGNATURE],
}

/// What a trusted key has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    identity: alloc::string::String,
    version: u64,
    length: u64,
    chunk_size: u32,
    key: [u8; 32],
    file: [u8; HASH],
    hashes: Vec<[u8; HASH]>,
}

impl<'a> Claim<'a> {
    /// Reads a manifest, which is all of `bytes`.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(ManifestError::Magic { bytes: bytes.len() });
        }
        let (head, rest) =
            Head::ref_from_prefix(bytes).map_err(|_| ManifestError::Magic { bytes: bytes.len() })?;
        head.check()?;
        let count = head.chunks.get() as usize;
        let (hashes, rest) = rest
            .as_chunks::<HASH>()
            .0
            .split_at_checked(count)
            .map_or((&[][..], &[][..]), |(hashes, _)| (hashes, &rest[count * HASH..]));
        let expected = HEAD + count * HASH + SIGNATURE;
        let signature = rest.try_into().ok().filter(|_| bytes.len() == expected);
        let signature = signature.ok_or(ManifestError::Length { found: bytes.len(), expected })?;
        Ok(Self { head, hashes, signed: &bytes[..expected - SIGNATURE], signature })
    }

    /// The key that claims to have signed.
    pub fn key(&self) -> KeyId {
        KeyId::of(&self.head.key)
    }

    /// Checks the signature, which must be of one of the keys in `trusted`; gives its place there, too.
    ///
    /// # Errors
    /// [`ManifestError::UnknownKey`], [`ManifestError::Signature`] or [`ManifestError::NoMemory`].
    pub fn verify(&self, trusted: &[[u8; 32]]) -> Result<(Manifest, usize), ManifestError> {
        let unknown = ManifestError::UnknownKey { key: self.key() };
        let place = trusted.iter().position(|key| *key == self.head.key).ok_or(unknown)?;
        let key = VerifyingKey::from_bytes(&self.head.key).map_err(|_| ManifestError::Signature)?;
        key.verify_strict(self.signed, &Signature::from_bytes(self.signature))
            .map_err(|_| ManifestError::Signature)?;
        Ok((self.manifest()?, place))
    }

    fn manifest(&self) -> Result<Manifest, ManifestError> {
        let mut hashes = Vec::new();
        hashes.try_reserve_exact(self.hashes.len()).map_err(|_| ManifestError::NoMemory)?;
        hashes.extend_from_slice(self.hashes);
        Ok(Manifest {
            identity: self.head.identity()?.into(),
            version: self.head.version.get(),
            length: self.head.length.get(),
            chunk_size: self.head.chunk_size.get(),
            key: self.head.key,
            file: self.head.file,
            hashes,
        })
    }
}

impl Manifest {
    /// The model's name, chosen by its signer.
    pub fn identity(&self) -> &str {
        &self.identity
    }
    /// The release of the model of this name, from 1.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// Bytes of the model.
    pub fn length(&self) -> u64 {
        self.length
    }
    /// Bytes of every chunk but the last.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }
    /// The key that signed.
    pub fn key(&self) -> KeyId {
        KeyId::of(&self.key)
    }
    /// SHA-256 of the whole model, as the signer states it.
    pub fn file_hash(&self) -> &[u8; HASH] {
        &self.file
    }
    /// SHA-256 of each chunk.
    pub fn hashes(&self) -> &[[u8; HASH]] {
        &self.hashes
    }
}
