// SPDX-License-Identifier: MIT
//! What happened, until it is stored as an episode.

use crate::embedding::Purpose;
use crate::retriever::Retriever;
use crate::shelf::Shelf;
use crate::time;
use alloc::collections::VecDeque;
use alloc::string::String;
use ipc_protocol::event::Event as Report;
use ipc_protocol::supervisor_retriever::{ToRetriever, ToSupervisor};
use retrieval::episodes::Event;
use retrieval::memory::MemoryError;

/// Events that wait; of more, the newest are lost, but for those of the supervisor, which waits.
const MOST: usize = 32;

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// As a peer reported it.
    Reported(Report),
    /// A document was taken in, with so many passages.
    Document(String, usize),
    /// A document is gone.
    Removed(String),
    /// So many acknowledged writes are missing.
    Damage(u64),
}

impl Happening {
    /// As the library takes it.
    fn event(&self) -> Event<'_> {
        match self {
            Self::Document(path, passages) => Event::Document { path, passages: *passages },
            Self::Removed(path) => Event::DocumentRemoved { path },
            Self::Damage(missing) => Event::StorageDamage { missing: *missing },
            Self::Reported(report) => reported(report),
        }
    }
}

fn reported(report: &Report) -> Event<'_> {
    match report {
        Report::Booted { version } => Event::Boot { version: version.text() },
        Report::Fault { pd, cause } => Event::Fault { pd: pd.text(), cause: cause.text() },
        Report::Restarted { pd } => Event::Restart { pd: pd.text() },
        Report::ModelLoaded { model } => Event::ModelLoaded { model: model.text() },
        Report::ModelFailed { model, why } => Event::ModelFailed { model: model.text(), reason: why.text() },
        Report::Command { line } => Event::Command { line: line.text() },
        Report::Conversation { question, answer } => {
            Event::Conversation { question: question.text(), answer: answer.text() }
        }
    }
}

/// An event that waits to be stored.
#[derive(Clone, Debug)]
struct Waiting {
    what: Happening,
    time: u64,
    /// The supervisor's number for it.
    number: Option<u32>,
}

/// Events that wait to be stored.
#[derive(Default)]
pub(crate) struct Events {
    waiting: VecDeque<Waiting>,
}

impl Retriever {
    /// Notes an event, to be stored when there is time.
    pub(crate) fn note(&mut self, what: Happening) {
        self.note_as(what, None);
    }

    fn note_as(&mut self, what: Happening, number: Option<u32>) {
        if self.events.waiting.len() < MOST || number.is_some() {
            self.events.waiting.push_back(Waiting { what, time: time::now(), number });
        }
    }

    /// Hears what the supervisor reports, as far as it is kept.
    pub(crate) fn hear_supervisor(&mut self) -> bool {
        let full = self.events.waiting.len() >= 2 * MOST;
        let Some(link) = self.supervisor.as_mut().filter(|_| !full) else { return false };
        link.poll();
        let Ok(Some(ToRetriever::Happened { number, event })) = link.receive() else { return false };
        self.note_as(Happening::Reported(event), Some(number));
        true
    }

    /// Stores the next event; whether there was one. One whose embedding was interrupted waits on.
    pub(crate) fn store_event(&mut self, purpose: Purpose) -> bool {
        let Some(next) = self.events.waiting.front().cloned() else { return false };
        let result = match (&mut self.shelf, &mut self.embedding) {
            (Shelf::Open(store), Some(embedding)) => {
                embedding.purpose = purpose;
                store.record(&next.what.event(), next.time, embedding).map(drop)
            }
            // There is nowhere to keep it.
            (Shelf::Unusable(..), _) => Ok(()),
            _ => return false,
        };
        let stopped = purpose != Purpose::Background || self.is_interrupted();
        if matches!(result, Err(MemoryError::Embed(_))) && stopped {
            return true;
        }
        if let Err(error) = result {
            self.not_kept(error);
        }
        self.events.waiting.pop_front();
        if let (Some(number), Some(link)) = (next.number, self.supervisor.as_mut()) {
            // A supervisor without room has its queue full of these.
            let _ = link.send(&ToSupervisor::Noted { number });
        }
        true
    }
}
