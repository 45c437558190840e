// SPDX-License-Identifier: MIT
//! What session and the health page are told of the retriever.
//!
//! One design rule: the state is told before the end of the request that changed it, so whoever hears the end knows it.

use crate::embedding::Embedding;
use crate::gauge;
use crate::inbox::short;
use crate::retriever::{Request, Retriever};
use crate::shelf::Shelf;
use ipc_pd::{clock, health};
use ipc_protocol::session_retriever::{self, State, ToSession};
use retrieval::store::SECTOR;

impl Retriever {
    /// Ends a request.
    pub(crate) fn done(&mut self, request: Request, ok: bool) {
        self.tidy = false;
        let embedding =
            self.embedding.as_ref().map_or(session_retriever::Embedding::Loading, Embedding::kind);
        let micros = clock::to_micros(clock::ticks().saturating_sub(request.began));
        // Whoever hears that a note is kept must know that there is something to find.
        self.tell_state();
        self.inbox.borrow_mut().say(ToSession::Done { id: request.id, ok, embedding, micros });
    }

    fn state(&self) -> State {
        let (embedding, label) = match &self.embedding {
            None => (session_retriever::Embedding::Loading, short("")),
            Some(embedding) => (embedding.kind(), short(embedding.description())),
        };
        let store = match self.shelf {
            Shelf::Closed => session_retriever::Store::Opening,
            Shelf::Open(_) => session_retriever::Store::Open,
            Shelf::Unusable(..) => session_retriever::Store::Unusable,
        };
        let mut state = State {
            embedding,
            label,
            store,
            sources: 0,
            passages: 0,
            unembedded: 0,
            episodes: 0,
            facts: 0,
            told: 0,
            learning: self.learning.on,
            pairs: 0,
            files_left: self.scan.files_left(),
            used: 0,
            size: 0,
        };
        if let Shelf::Open(store) = &self.shelf {
            let counts = store.counts();
            state.sources = counts.sources as u32;
            state.passages = counts.passages as u32;
            state.unembedded = counts.unembedded as u32;
            state.episodes = counts.episodes as u32;
            state.facts = counts.facts as u32;
            state.told = store.facts().filter(|fact| fact.episode.is_none()).count() as u32;
            state.pairs = store.pair_count() as u32;
            state.used = counts.usage.used * SECTOR as u64;
            state.size = counts.usage.log * SECTOR as u64;
        }
        state
    }

    /// Tells session what has changed.
    pub(crate) fn tell_state(&mut self) {
        let state = self.state();
        if self.told.as_ref() != Some(&state) {
            self.inbox.borrow_mut().say(ToSession::State(state.clone()));
            self.report(&state);
            self.told = Some(state);
        }
        self.inbox.borrow_mut().flush();
    }

    fn report(&self, state: &State) {
        health::gauge(gauge::PASSAGES, state.passages.into());
        health::gauge(gauge::EPISODES, state.episodes.into());
        let embedding = match state.embedding {
            session_retriever::Embedding::Loading => 0,
            session_retriever::Embedding::Model => 1,
            session_retriever::Embedding::Hash => 2,
        };
        health::gauge(gauge::EMBEDDING, embedding);
    }
}
