//! Session and supervisor: which model is loaded.

use crate::signing::Signed;
use crate::supervisor_compute::Sealed;
use crate::{Name, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// From session to supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSupervisor {
    /// Name the models on the disk.
    List,
    /// Load a model; empty: the only or first one.
    Load {
        /// As in `supervisor_loader`.
        name: Name,
    },
    /// Forget the loaded model.
    Unload,
    /// Session has dropped everything it derived from the vocabulary region.
    VocabularyReleased,
}

/// From supervisor to session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSession {
    /// One model on the disk.
    Model {
        /// File name.
        name: Name,
        /// File size in bytes.
        bytes: u64,
        /// Whether it is the loaded one.
        loaded: bool,
    },
    /// No more models.
    ListEnd {
        /// Number of models named.
        count: u32,
    },
    /// Bytes in place so far.
    Progress {
        /// Bytes done.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// Stop reading the vocabulary region, then answer `VocabularyReleased`.
    ReleaseVocabulary,
    /// A model is sealed and compute uses it.
    Ready {
        /// Where; session reads its `header` bytes of the vocabulary region.
        sealed: Sealed,
        /// Its file.
        name: Name,
        /// First 8 bytes of the SHA-256 of the file.
        hash: [u8; 8],
        /// Who signed it; `None`: nobody whom this image trusts.
        signed: Option<Signed>,
    },
    /// No model is loaded: none was found, or it was unloaded, or lost.
    NoModel {
        /// For people; empty when asked for.
        why: Piece,
    },
    /// A load failed; the model before it is still there if `kept`.
    LoadFailed {
        /// For people.
        why: Piece,
        /// Whether the old model still answers.
        kept: bool,
    },
}
