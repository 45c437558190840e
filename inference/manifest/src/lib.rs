//! Manifests of signed models: `FILE.gguf.sig` beside `FILE.gguf`. The layout is in `docs/signed-models.md`.
//!
//! One design rule: types say what is proven. Bytes become a [`Claim`] when they are well formed, and a [`Manifest`]
//! only when a trusted key has signed them; only a manifest makes a [`Checker`], which compares a model with it piece
//! by piece, before anybody looks into the model.
//!
//! Limits: models of [`MAX_CHUNKS`] chunks of at most [`MAX_CHUNK`] bytes (4 GiB); one signature per manifest.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod check;
mod claim;
mod error;
mod key;
mod layout;
mod sign;

pub use check::Checker;
pub use claim::{Claim, Manifest};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::{ManifestError, Mismatch};
pub use key::KeyId;
#[cfg(feature = "pem")]
pub use key::pem;
pub use sign::Draft;

/// The first bytes of a manifest.
pub const MAGIC: [u8; 8] = *b"CLSTMODL";
/// Raised whenever the layout changes.
pub const FORMAT: u32 = 1;
/// Smallest chunk in bytes.
pub const MIN_CHUNK: u32 = 64 << 10;
/// Largest chunk in bytes.
pub const MAX_CHUNK: u32 = 1 << 20;
/// Most chunks.
pub const MAX_CHUNKS: u64 = 4096;
/// Most bytes of an identity.
pub const IDENTITY: usize = 48;
/// Bytes of a hash.
pub const HASH: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE: usize = 64;
/// Bytes before the hashes of the chunks.
pub const HEAD: usize = size_of::<layout::Head>();
/// Bytes of the longest manifest.
pub const MAX_BYTES: usize = HEAD + MAX_CHUNKS as usize * HASH + SIGNATURE;
