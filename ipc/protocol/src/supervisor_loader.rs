//! Supervisor and loader: one load at a time; after `Sealed` the supervisor stops the loader.

use crate::signing::{Identity, Signed};
use crate::supervisor_compute::Sealed;
use crate::{Name, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// From supervisor to loader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToLoader {
    /// Name the models on the disk, then `ListEnd`.
    List,
    /// Load the model of this name; empty: the only one there is, or the first by name.
    Load {
        /// File name in `/models` or `/`, with or without `.gguf`.
        name: Name,
        /// The load's number if it succeeds.
        generation: u32,
        /// The model that is in the region and should survive a failure.
        keep: Option<Sealed>,
    },
    /// The answer to `Newest`.
    Newest {
        /// What the account says.
        newest: Newest,
    },
}

/// The newest version of a model that was in use, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Newest {
    /// This one; 0 when none was.
    Version(u64),
    /// There is no room to keep account of another model.
    Full,
    /// The account on the disk cannot be read, so nobody knows.
    Unreadable,
}

/// From loader to supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSupervisor {
    /// One model file on the disk.
    Model {
        /// File name.
        name: Name,
        /// File size in bytes.
        bytes: u64,
    },
    /// No more models; so many were named.
    ListEnd {
        /// Number of `Model` messages before this one.
        count: u32,
    },
    /// Bytes in place so far.
    Progress {
        /// Bytes done.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// The model is in place; the loader writes no more.
    Sealed {
        /// Where.
        sealed: Sealed,
        /// Its file.
        name: Name,
        /// First 8 bytes of the SHA-256 of the file, for people and manifests.
        hash: [u8; 8],
        /// Whether the model named in `keep` is still whole.
        kept: bool,
        /// Who signed it; `None`: nobody whom this image trusts.
        signed: Option<Signed>,
    },
    /// The load failed; `kept` as above.
    Failed {
        /// What and where, for people.
        why: Piece,
        /// Whether the old model is still whole.
        kept: bool,
    },
    /// A trusted key signed the manifest of the model to load: which is the newest version that was in use?
    Newest {
        /// The model's name in the manifest.
        identity: Identity,
    },
}
