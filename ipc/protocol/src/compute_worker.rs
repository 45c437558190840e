//! Compute and its workers on other cores: which model, and when to take part.
//!
//! The steps of a forward pass are not messages: workers meet at barriers in their outboxes (`inference/model`, module
//! `team`). A worker that is told to `Work` follows the leader until the leader says stop there.

use crate::Piece;
use crate::adapter::Place;
use crate::supervisor_compute::Sealed;
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// From compute to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToWorker {
    /// Bind this model as worker `index` of `workers`, empty the outbox, then answer `Ready` or `Failed`.
    Setup {
        /// Chosen by compute, increasing; answers repeat it.
        round: u32,
        /// Where the model lies.
        sealed: Sealed,
        /// This worker's number, from 1 on.
        index: u32,
        /// All workers, the leader included.
        workers: u32,
        /// Tokens the cache holds.
        context: u32,
        /// Most tokens computed together.
        batch: u32,
        /// Keys and values are kept as F32, else as F16.
        full_precision: bool,
        /// The adapter that all workers use.
        adapter: Option<Place>,
    },
    /// Follow the leader.
    Work,
    /// Drop everything derived from the weights, then answer `Released`.
    Release,
}

/// From a worker to compute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToCompute {
    /// First message: what this worker's regions hold.
    Hello {
        /// Bytes of its key-value cache.
        cache: u64,
        /// Bytes of its activations.
        scratch: u64,
        /// Bytes of its outbox.
        outbox: u64,
    },
    /// In place for this round.
    Ready {
        /// Of `Setup`.
        round: u32,
    },
    /// Cannot take part in this round.
    Failed {
        /// Of `Setup`.
        round: u32,
        /// For people.
        why: Piece,
    },
    /// Nothing derived from the weights is in use any more.
    Released,
    /// Waited in vain for the others: set up again.
    Lost {
        /// The round it worked in.
        round: u32,
    },
}
