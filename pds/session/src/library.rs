// SPDX-License-Identifier: MIT
//! What session knows of the retriever: its link, its state, and the search under way.

use crate::RetrieverLink;
use crate::outbox::Side;
use crate::session::text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use inference_sampler::Grammar;
use ipc_protocol::Piece;
use ipc_protocol::session_retriever::{Embedding, State, Store, ToRetriever, ToSession};
use retrieval::episodes::is_about_events;
use retrieval::prompt::Injected;

/// A passage, while its text arrives.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub source: String,
    pub heading: String,
    pub score: f32,
    pub text: String,
}

/// What a search is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// This message is to be answered.
    Answer(String),
    /// The user wants to see passages.
    Show,
}

#[derive(Debug)]
pub(crate) struct Search {
    pub purpose: Purpose,
    pub found: Vec<Found>,
}

/// The retriever, as session uses it.
pub(crate) struct Library {
    pub side: Option<Side<ToRetriever, ToSession>>,
    /// Answers use passages.
    pub on: bool,
    pub state: Option<State>,
    /// It was not yet silent for too long.
    pub expected: bool,
    /// Its id of the request under way.
    pub request: u32,
    pub search: Option<Search>,
    /// A line that is arriving.
    pub line: Vec<u8>,
    /// What the last answer was given.
    pub injected: Vec<Injected>,
    /// Passages that did not fit the last answer's prompt.
    pub left_out: usize,
    /// A line of figures for the answer under way.
    pub figures: Option<String>,
    /// Whether answers from passages are quotations; `None`: as the model was taught.
    pub quote: Option<bool>,
    /// What the last message's answer is held to.
    pub quotations: Option<Grammar>,
    pub quiet: bool,
    pub described: Piece,
}

impl Library {
    pub fn new(link: Option<RetrieverLink>) -> Self {
        Self {
            side: link.map(Side::new),
            on: true,
            state: None,
            expected: true,
            request: 0,
            search: None,
            line: Vec::new(),
            injected: Vec::new(),
            left_out: 0,
            figures: None,
            quote: None,
            quotations: None,
            quiet: false,
            described: Piece::default(),
        }
    }

    /// Whether the retriever is still to say what its store is, and is not known to be silent.
    pub fn is_opening(&self) -> bool {
        let opening = self.state.as_ref().map_or(self.side.is_some(), |state| state.store == Store::Opening);
        opening && self.expected
    }

    /// Whether there is a store.
    pub fn is_open(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.store == Store::Open)
    }

    pub fn push(&mut self, message: ToRetriever) {
        let event = matches!(message, ToRetriever::Happened { .. });
        // A retriever that takes nothing remembers nothing.
        if let Some(side) = self.side.as_mut().filter(|side| !event || !side.is_backed_up()) {
            side.push(message);
        }
    }

    /// Whether there may be something to find for a question. A retriever that has not said yet what it holds is waited
    /// for, unless it was waited for in vain.
    pub fn has_something(&self, question: &str) -> bool {
        let Some(state) = &self.state else { return self.is_opening() };
        let holds = |state: &State| state.passages > 0 || state.told > 0 || state.files_left > 0;
        match state.store {
            Store::Open => holds(state) || is_about_events(question),
            Store::Opening => self.expected,
            Store::Unusable => false,
        }
    }

    /// What an answer could not be given yet: ", 3 documents still to be taken in".
    pub fn unfinished(&self) -> String {
        let Some(state) = &self.state else { return String::new() };
        let mut text = String::new();
        if state.files_left > 0 {
            text += &format!(" | {} document(s) still to be taken in", state.files_left);
        }
        if state.unembedded > 0 {
            text += &format!(" | {} text(s) still to embed", state.unembedded);
        }
        text
    }

    /// "MiniLM" or "hash fallback": never the same for both.
    pub fn embedding(&self, embedding: Embedding) -> String {
        let label = self.state.as_ref().map(|state| text(state.label.as_slice())).unwrap_or_default();
        match embedding {
            Embedding::Hash => "hash fallback".into(),
            Embedding::Loading => "no embedding yet".into(),
            Embedding::Model if label.contains("MiniLM") => "MiniLM".into(),
            Embedding::Model => label,
        }
    }

    pub fn description(&self) -> String {
        let on = if self.on { "on" } else { "off" };
        let Some(state) = &self.state else { return format!("{on}; the retriever has not said") };
        let label = text(state.label.as_slice());
        let with = match state.embedding {
            Embedding::Model => format!("{} ({label})", self.embedding(state.embedding)),
            Embedding::Hash => label,
            Embedding::Loading => "looking for the embedding model".into(),
        };
        let State { sources, passages, episodes, facts, .. } = state;
        let left = self.unfinished();
        match state.store {
            Store::Open => format!(
                "{on}; {with}; {sources} sources, {passages} passages, {episodes} episodes, {facts} facts{left}"
            ),
            Store::Opening => format!("{on}; {with}; the store is being opened"),
            Store::Unusable => format!("{on}; {with}; there is no store"),
        }
    }
}
