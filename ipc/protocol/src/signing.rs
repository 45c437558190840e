//! Signed models: what the image demands, and what is known of a model that met it.
//!
//! The policy is a region of 4 KiB that the image builder writes and only the loader reads: 4 bytes of length, then a
//! [`ModelPolicy`] in postcard's encoding. A length of 0 is the policy that demands nothing.

use crate::{List, page};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Size of the region.
pub const REGION: usize = 4 * 1024;
/// Most trusted keys.
pub const MAX_KEYS: usize = 8;
/// Most minimum versions.
pub const MAX_MINIMUMS: usize = 16;

/// The name that a model was signed with.
pub type Identity = List<u8, 48>;
/// The name of a trusted key, of its file when the image was made.
pub type Signer = List<u8, 24>;

/// What an image demands of models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPolicy {
    /// Whether a model without a manifest is refused. A manifest that is there must be right in any case, if there
    /// are keys.
    pub require_signed: bool,
    /// Keys whose manifests count.
    pub keys: heapless::Vec<TrustedKey, MAX_KEYS>,
    /// Versions below which models are refused.
    pub minimums: heapless::Vec<Minimum, MAX_MINIMUMS>,
}

/// A key whose manifests count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedKey {
    /// For people.
    pub name: Signer,
    /// An Ed25519 public key (RFC 8032).
    pub key: [u8; 32],
}

/// The oldest version of a model that is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minimum {
    /// Of the model of this name.
    pub identity: Identity,
    /// This version.
    pub version: u64,
}

/// Who signed a model, and what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Signed {
    /// The model's name.
    pub identity: Identity,
    /// Its version.
    pub version: u64,
    /// The trusted key's name.
    pub signer: Signer,
    /// The first bytes of the key.
    pub key: [u8; 8],
}

impl ModelPolicy {
    /// Reads the contents of the region; `None` when they are damaged.
    pub fn decode(region: &[u8]) -> Option<Self> {
        match region.first_chunk()? {
            [0, 0, 0, 0] => Some(Self::default()),
            _ => page::decode(region),
        }
    }

    /// Writes the contents of the region; `None` when they do not fit.
    pub fn encode(&self, region: &mut [u8]) -> Option<usize> {
        page::encode(self, region)
    }
}
