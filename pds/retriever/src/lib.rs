// SPDX-License-Identifier: MIT
//! The `retriever` PD: passages of the user's documents, notes, facts, and what happened on the machine.
//!
//! One design rule: whatever the disk, the documents or a peer do, a question ends with an answer, if only with the
//! reason why there is none; and nothing is called stored before it is.
//!
//! It sees the data partition and files in `/docs` and `/system` through storage, which looks them up itself
//! (ADR 0014), and text from session. It sees no UART, no other disk sectors and no weights but those of the
//! embedding model, which it reads from `/system` into a region of its own. Without that file words are hashed, and
//! every answer says so.
//!
//! Work goes in steps: a passage is embedded, or some are stored; between two steps messages are heard, and a question
//! interrupts taking in documents even within a passage. The disk is waited for inside a step ([`ipc_pd::wait`]).
//!
//! Limits: [`library::LARGEST_DOCUMENT`] bytes per document, [`library::MOST_FILES`] files; as many passages as the
//! heap has room for; one request at a time.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod background;
mod embedding;
mod events;
mod files;
mod inbox;
mod learning;
pub mod library;
mod port;
mod requests;
mod retriever;
mod scan;
mod search;
mod shelf;
mod status;
mod time;

pub use embedding::Embedding;
pub use files::FileError;
pub use port::{Port, StorageLink};
pub use retriever::{Means, Retriever};

use ipc_link::Link;
use ipc_pd::Channel;
use ipc_protocol::{session_retriever, supervisor_retriever};

/// To and from storage.
pub const STORAGE: Channel = Channel::new(8);
/// To and from session.
pub const SESSION: Channel = Channel::new(9);
/// From the supervisor, which also asks for signs of life here.
pub const SUPERVISOR: Channel = Channel::new(15);
/// Protected calls to the timer, and its signal.
pub const TIMER: Channel = Channel::new(26);

/// The link to session.
pub type SessionLink = Link<session_retriever::ToSession, session_retriever::ToRetriever>;
/// The link to the supervisor.
pub type SupervisorLink = Link<supervisor_retriever::ToSupervisor, supervisor_retriever::ToRetriever>;

/// What the PD's gauges show.
pub mod gauge {
    /// Requests that wait: the queue's depth.
    pub const WAITING: usize = 0;
    /// Passages.
    pub const PASSAGES: usize = 1;
    /// Episodes.
    pub const EPISODES: usize = 2;
    /// 1: an embedding model, 2: hashes of words, 0: not known yet.
    pub const EMBEDDING: usize = 3;
    /// Starts of storage that were noticed.
    pub const STORAGE_STARTS: usize = 4;
}
