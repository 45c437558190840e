// SPDX-License-Identifier: MIT
//! Learning: pairs that are collected, the trainer's jobs, and the adapter in use.
//!
//! One design rule: nothing is learnt, kept or used that session has not asked for, and the model answers whatever
//! fails here. Pairs and adapters lie in the retriever's store; the trainer gets token ids and gives figures; compute is
//! told which stored adapter to use, and says whether it does.
//!
//! Everything is asked for one step at a time ([`Step`]), beside the request of the console's; an answer may be made
//! meanwhile.

mod collect;
mod commands;
mod install;
mod job;
mod lessons;
mod report;
mod store;

use crate::outbox::Side;
use crate::session::Session;
use crate::{RetrieverLink, TrainerLink};
use alloc::string::String;
use alloc::vec::Vec;
use ipc_protocol::adapter::Place;
use ipc_protocol::console_session::Learn;
use ipc_protocol::session_retriever::{PairKind, Version};
use ipc_protocol::session_trainer::{ToSession, ToTrainer};
use ipc_protocol::{Piece, session_retriever};
use job::Job;

/// A pair to learn from.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    number: u64,
    kind: PairKind,
    question: String,
    answer: String,
}

/// What an answer of the retriever leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Nothing: the request is done.
    Done,
    /// Nothing, and nobody waits.
    Quiet,
    /// Say that pairs are collected, or not.
    Switched(bool),
    /// Everything is forgotten: the base is used again.
    Forgotten,
    /// With the pairs, go on with the versions.
    Pairs(Wanted),
    /// With the versions.
    Versions(Wanted),
    /// The new adapter is stored: use it.
    Kept,
    /// The adapter lies in its slot: compute is told.
    Loaded(Then),
    /// It is the one in use from now on.
    Activated(u32),
}

/// What pairs and versions are wanted for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    /// To use what was in use.
    Boot,
    Status,
    List,
    Learn,
    Rollback,
}

/// What follows when compute uses an adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// It was in use before compute restarted, or nothing is to be in use.
    Nothing,
    /// The user is told: it was in use before this start.
    Tell,
    /// It is to be the one in use from now on.
    Activate,
}

/// An adapter that compute is to use.
#[derive(Clone, Copy, Debug)]
struct Wish {
    /// The model that it is for.
    base: [u8; 8],
    place: Option<Place>,
    then: Then,
    /// Compute was told.
    told: bool,
}

/// The state of learning.
#[derive(Default)]
pub(crate) struct Learning {
    trainer: Option<Side<ToTrainer, ToSession>>,
    /// What the user wants as soon as the store is open.
    waiting: Option<Learn>,
    /// The retriever's request under way.
    asked: Option<(u32, Step)>,
    /// Its text is not complete.
    open: bool,
    /// What waits for it.
    queue: Vec<(session_retriever::ToRetriever, Step)>,
    pairs: Vec<Pair>,
    /// Bytes of the question of the pair that is arriving.
    question: usize,
    arriving: Vec<u8>,
    line: Vec<u8>,
    versions: Vec<Version>,
    loaded: Option<Place>,
    job: Option<Job>,
    jobs: u32,
    /// The adapter in use, 0 for none.
    in_use: Option<Place>,
    wish: Option<Wish>,
    /// The model for which the adapter in use was looked up.
    looked_up: Option<[u8; 8]>,
    /// The last request in English and the command that was proposed.
    proposal: Option<(String, String)>,
    described: Piece,
}

impl Session {
    /// With the trainer.
    #[must_use]
    pub fn with_trainer(mut self, link: TrainerLink) -> Self {
        self.learning.trainer = Some(Side::new(link));
        self
    }

    /// With the retriever and the trainer, where the system has them.
    #[must_use]
    pub fn with_peers(self, retriever: Option<RetrieverLink>, trainer: Option<TrainerLink>) -> Self {
        let session = match retriever {
            Some(link) => self.with_retriever(link),
            None => self,
        };
        match trainer {
            Some(link) => session.with_trainer(link),
            None => session,
        }
    }

    /// Everything that can be done without waiting; whether something was.
    pub(crate) fn step_learning(&mut self) -> bool {
        let mut moved = self.hear_trainer();
        moved |= self.learning.trainer.as_mut().is_some_and(Side::flush);
        moved |= self.look_up_adapter() | self.tell_wish();
        self.tell_learning();
        moved
    }
}
