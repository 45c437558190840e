//! Things that happened on the machine and are worth remembering: the retriever keeps them as episodes.

use crate::{List, Name};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// The beginning of a text.
pub type Short = List<u8, 110>;

/// Something that happened. Texts are UTF-8, cut where they are too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Event {
    /// The system started.
    Booted {
        /// Version of the image.
        version: Name,
    },
    /// A PD faulted, hung or broke the protocol.
    Fault {
        /// Its name.
        pd: Name,
        /// What it did.
        cause: Short,
    },
    /// A PD was restarted.
    Restarted {
        /// Its name.
        pd: Name,
    },
    /// A model became the current one.
    ModelLoaded {
        /// Its file.
        model: Name,
    },
    /// A model could not be loaded.
    ModelFailed {
        /// Its file; empty where none was named.
        model: Name,
        /// Why.
        why: Short,
    },
    /// The user gave a command that changes something.
    Command {
        /// As they could have typed it.
        line: Short,
    },
    /// A question and its answer.
    Conversation {
        /// Its beginning.
        question: Short,
        /// Its beginning.
        answer: Short,
    },
}
