//! Supervisor and compute: which model lies in the weights region, and when nobody may read it.

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Where a sealed model lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Sealed {
    /// Raised with every load.
    pub generation: u32,
    /// First byte of the GGUF file in the weights region.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Length of its header copy in the vocabulary region.
    pub header: u64,
}

/// From supervisor to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToCompute {
    /// The loader is stopped: this model may be read until `Release`.
    Use(Sealed),
    /// Stop reading the weights, then answer `Released`.
    Release,
}

/// From compute to supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSupervisor {
    /// Nothing derived from the weights is in use any more.
    Released,
    /// The model is in use.
    Using {
        /// Of this load.
        generation: u32,
    },
    /// The model cannot be used, for this reason.
    Unusable {
        /// Of this load.
        generation: u32,
        /// For people.
        why: crate::Piece,
    },
}
