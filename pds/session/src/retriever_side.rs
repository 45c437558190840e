// SPDX-License-Identifier: MIT
//! The retriever's side: what it says, and what becomes of a request when it says nothing.
//!
//! One design rule: an answer never depends on the retriever. It is asked first; when it is silent, restarts or breaks
//! the protocol, the answer is made without it, and says so. What it gives is data: it goes into the user's message,
//! whose text never becomes a special token.

use crate::RetrieverLink;
use crate::grounding::{BYTES, PASSAGES};
use crate::library::{Found, Library, Purpose, Search};
use crate::outbox::Side;
use crate::request::Kind;
use crate::session::{Session, text};
use alloc::format;
use alloc::string::String;
use ipc_protocol::console_session::{Level, ToConsole, Work};
use ipc_protocol::session_retriever::{ToRetriever, ToSession};
use ipc_protocol::{Name, Piece};

/// Seconds of silence of the retriever: with an emulated model a question takes some.
pub(crate) const SILENCE: u64 = 45;

impl Session {
    /// With the retriever.
    #[must_use]
    pub fn with_retriever(mut self, link: RetrieverLink) -> Self {
        self.library = Library::new(Some(link));
        self
    }

    /// Sends what waits, and whether an answer is being made.
    pub(crate) fn flush_retriever(&mut self) -> bool {
        let quiet = self.generation.is_some();
        if core::mem::replace(&mut self.library.quiet, quiet) != quiet {
            self.library.push(ToRetriever::Quiet { on: quiet });
        }
        self.library.side.as_mut().is_some_and(Side::flush)
    }

    /// Follows the link and takes what there is; whether there was something.
    pub(crate) fn hear_retriever(&mut self) -> bool {
        let started = self.library.side.as_mut().and_then(Side::poll);
        if let Some(restarted) = started {
            (self.library.state, self.library.expected) = (None, true);
            self.library.quiet = false;
            if restarted {
                self.learning_lost();
                self.retriever_lost("the retriever restarted");
            }
        }
        let mut moved = started.is_some();
        while !self.console.is_backed_up() {
            match self.library.side.as_mut().map(Side::receive) {
                Some(Ok(Some(message))) => self.retrieved(message),
                Some(Err(_)) => self.retriever_lost("the retriever broke the protocol"),
                Some(Ok(None)) | None => break,
            }
            moved = true;
        }
        moved
    }

    fn retrieved(&mut self, message: ToSession) {
        let Some(message) = self.learning_hears(message) else { return };
        let waiting = self.is(Kind::Retrieve) || self.is(Kind::Library);
        if waiting && !self.request.is_some_and(|request| request.cancelled) {
            self.patience.start(SILENCE);
        }
        let mine = self.library.request;
        match message {
            ToSession::State(state) => {
                (self.library.state, self.library.expected) = (Some(state), true);
                self.tell_retrieval();
                if !self.library.is_opening() {
                    self.learn_when_open();
                }
            }
            ToSession::Passage { id, source, heading, score } if waiting && id == mine => {
                self.passage(&source, &heading, score);
            }
            ToSession::Text { id, piece, .. } if waiting && id == mine => self.passage_text(&piece),
            ToSession::Line { id, piece, last } if id == 0 || waiting && id == mine => {
                self.retriever_line(&piece, last);
            }
            ToSession::Progress { id, done, total } if self.is(Kind::Library) && id == mine => {
                let (id, what) = (self.id(), Work::Documents);
                self.console.push(ToConsole::Progress { id, what, done: done.into(), total: total.into() });
            }
            ToSession::Done { id, ok, embedding, micros } if waiting && id == mine => {
                self.retrieval_done(ok, embedding, micros);
            }
            _ => {}
        }
    }

    fn passage(&mut self, source: &Name, heading: &Name, score: f32) {
        let Some(search) = self.library.search.as_mut() else { return };
        // What was asked for, and no more.
        if search.found.len() < usize::from(PASSAGES) {
            let (source, heading) = (text(source.as_slice()), text(heading.as_slice()));
            search.found.push(Found { source, heading, score, text: String::new() });
        }
    }

    fn passage_text(&mut self, piece: &Piece) {
        let Some(search) = self.library.search.as_mut() else { return };
        let bytes: usize = search.found.iter().map(|found| found.text.len()).sum();
        if let Some(last) = search.found.last_mut().filter(|_| bytes <= BYTES as usize) {
            last.text.push_str(&text(piece.as_slice()));
        }
    }

    fn retriever_line(&mut self, piece: &Piece, last: bool) {
        if self.library.line.len() < 4096 {
            self.library.line.extend_from_slice(piece.as_slice());
        }
        if last {
            let line = text(&core::mem::take(&mut self.library.line));
            self.say(Level::Plain, &line);
        }
    }

    /// Tells the console what retrieval is like, where that has changed.
    pub(crate) fn tell_retrieval(&mut self) {
        if self.library.side.is_none() {
            return;
        }
        let text = self.library.description();
        let description = Piece::new(&text.as_bytes()[..text.floor_char_boundary(200.min(text.len()))]);
        if self.library.described != description {
            self.library.described = description.clone();
            self.console.push(ToConsole::Retrieval { description });
        }
    }

    /// The console has restarted: it knows nothing.
    pub(crate) fn forget_told_retrieval(&mut self) {
        self.library.described = Piece::default();
        self.tell_retrieval();
    }

    /// The retriever will not answer: an answer is made without it, anything else fails.
    pub(crate) fn retriever_lost(&mut self, why: &str) {
        self.library.line.clear();
        let search = self.library.search.take();
        if let (true, Some(Search { purpose: Purpose::Answer(message), .. })) =
            (self.is(Kind::Retrieve), search)
        {
            self.say(Level::Warning, &format!("{why}: the answer is made without documents"));
            let id = self.library.request;
            self.library.push(ToRetriever::Cancel { id });
            return self.say_and_answer((message, None));
        }
        if self.is(Kind::Library) {
            self.refuse(&format!("{why}: ask again; /status shows the servers"));
        }
    }

    /// Nothing came from the retriever for long. Until it says something it is not waited for again.
    pub(crate) fn retriever_is_silent(&mut self) {
        self.library.expected = false;
        self.retriever_lost(&format!("the retriever has been silent for {SILENCE} s"));
    }

    /// Ctrl-C while the retriever works.
    pub(crate) fn cancel_retrieval(&mut self) {
        let id = self.library.request;
        self.library.push(ToRetriever::Cancel { id });
        if self.library.search.take().is_some() {
            self.refuse("stopped");
        }
    }
}
