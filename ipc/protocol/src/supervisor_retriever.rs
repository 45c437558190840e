//! Supervisor and retriever: what happened on the machine. The channel also asks for a sign of life.

use crate::event::Event;
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// From supervisor to retriever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToRetriever {
    /// Remember this. Events come in order.
    Happened {
        /// Raised with every event; repeated when the retriever restarted before it had said `Noted`.
        number: u32,
        /// What happened.
        event: Event,
    },
}

/// From retriever to supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSupervisor {
    /// This event and those before it are stored, or cannot be.
    Noted {
        /// Its number.
        number: u32,
    },
}
