// SPDX-License-Identifier: MIT
//! The retriever's side: passages for an answer, and what the user wants of documents, notes, facts and episodes.
//!
//! One design rule: an answer never depends on the retriever. It is asked first; when it is silent, restarts or breaks
//! the protocol, the answer is made without it, and says so. What it gives is data: it goes into the user's message,
//! whose text never becomes a special token.

use crate::outbox::Side;
use crate::request::Kind;
use crate::session::{Session, pieces, text};
use crate::{RetrieverLink, sources};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ipc_protocol::console_session::{Level, Rag, RagText, ToConsole, Work};
use ipc_protocol::event::{Event, Short};
use ipc_protocol::session_retriever::{Ask, Embedding, State, Store, Task, ToRetriever, ToSession};
use ipc_protocol::{List, Name, Piece};
use retrieval::episodes::is_about_events;
use retrieval::prompt::{self, Injected, Material};

/// Seconds of silence of the retriever: with an emulated model a question takes some.
const SILENCE: u64 = 45;
/// Most passages, and most bytes of them, for an answer.
const PASSAGES: u8 = 6;
const BYTES: u32 = 8 * 1024;
/// Most tokens of passages in a prompt.
const TOKENS: usize = 1536;
/// Of a small context passages may fill what question and answer leave; of a large one half, for the conversation's sake.
const SMALL: usize = 512;
/// Tokens that a template may add.
const TEMPLATE: usize = 32;

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
enum Purpose {
    /// This message is to be answered.
    Answer(String),
    /// The user wants to see passages.
    Show,
}

#[derive(Debug)]
struct Search {
    purpose: Purpose,
    found: Vec<Found>,
}

/// The retriever, as session uses it.
pub(crate) struct Library {
    pub side: Option<Side<ToRetriever, ToSession>>,
    /// Answers use passages.
    on: bool,
    state: Option<State>,
    /// Its id of the request under way.
    request: u32,
    search: Option<Search>,
    /// A line that is arriving.
    line: Vec<u8>,
    /// What the last answer was given.
    pub injected: Vec<Injected>,
    /// Bytes that did not fit the last answer's prompt are counted in passages.
    pub left_out: usize,
    /// A line of figures for the answer under way.
    figures: Option<String>,
    quiet: bool,
    described: Piece,
}

impl Library {
    pub fn new(link: Option<RetrieverLink>) -> Self {
        Self {
            side: link.map(Side::new),
            on: true,
            state: None,
            request: 0,
            search: None,
            line: Vec::new(),
            injected: Vec::new(),
            left_out: 0,
            figures: None,
            quiet: false,
            described: Piece::default(),
        }
    }

    /// What the retriever said of itself last.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
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

    /// Whether there is something to find for a question.
    fn has_something(&self, question: &str) -> bool {
        let known = self.state.as_ref().filter(|state| state.store == Store::Open);
        known.is_some_and(|state| state.passages + state.told > 0 || is_about_events(question))
    }

    /// "MiniLM" or "hash fallback": never the same for both.
    fn embedding(&self, embedding: Embedding) -> String {
        let label = self.state.as_ref().map(|state| text(state.label.as_slice())).unwrap_or_default();
        match embedding {
            Embedding::Hash => "hash fallback".into(),
            Embedding::Loading => "no embedding yet".into(),
            Embedding::Model if label.contains("MiniLM") => "MiniLM".into(),
            Embedding::Model => label,
        }
    }

    fn description(&self) -> String {
        let on = if self.on { "on" } else { "off" };
        let Some(state) = &self.state else { return format!("{on}; the retriever has not said") };
        let label = text(state.label.as_slice());
        let with = match state.embedding {
            Embedding::Model => format!("{} ({label})", self.embedding(state.embedding)),
            Embedding::Hash => label,
            Embedding::Loading => "looking for the embedding model".into(),
        };
        let State { sources, passages, episodes, facts, unembedded, .. } = state;
        let left = if *unembedded > 0 { format!(", {unembedded} to embed") } else { String::new() };
        match state.store {
            Store::Open => format!(
                "{on}; {with}; {sources} sources, {passages} passages{left}, {episodes} episodes, {facts} facts"
            ),
            Store::Opening => format!("{on}; {with}; the store is being opened"),
            Store::Unusable => format!("{on}; {with}; there is no store"),
        }
    }
}

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
            self.library.state = None;
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
                self.library.state = Some(state);
                self.tell_retrieval();
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

    // ---- answers ----

    /// Asks for passages before `message` is answered; gives it back where there is nobody or nothing to ask.
    pub(crate) fn ask_for_passages(&mut self, message: String) -> Option<String> {
        self.library.injected.clear();
        self.library.figures = None;
        if !self.library.on || !self.library.has_something(&message) {
            return Some(message);
        }
        let purpose = Purpose::Answer(message.clone());
        self.search(purpose, &message);
        if let Some(request) = self.request.as_mut() {
            request.kind = Kind::Retrieve;
        }
        None
    }

    fn search(&mut self, purpose: Purpose, question: &str) {
        self.library.search = Some(Search { purpose, found: Vec::new() });
        self.send_text(Task::Search { passages: PASSAGES, bytes: BYTES }, question);
    }

    fn send_text(&mut self, task: Task, whole: &str) {
        let id = self.next_id();
        self.library.request = id;
        for (piece, last) in pieces(whole) {
            self.library.push(ToRetriever::Text { id, task, piece, last });
        }
        self.patience.start(SILENCE);
    }

    fn retrieval_done(&mut self, ok: bool, embedding: Embedding, micros: u64) {
        let label = self.library.embedding(embedding);
        match self.library.search.take() {
            Some(Search { purpose: Purpose::Answer(message), found }) => {
                let message = self.with_passages(message, &found, &label, micros);
                self.say_and_answer(message);
            }
            Some(Search { purpose: Purpose::Show, found }) => {
                let lines = sources::found(&found, &label);
                self.say(Level::Plain, &lines);
                self.end(ok);
            }
            None => self.end(ok),
        }
    }

    /// The message with the passages that fit the context, as one text.
    fn with_passages(
        &mut self,
        message: String,
        found: &[Found],
        label: &str,
        micros: u64,
    ) -> (String, Option<String>) {
        let materials: Vec<Material<'_>> = found
            .iter()
            .map(|found| Material {
                source: &found.source,
                heading: &found.heading,
                score: found.score,
                text: &found.text,
            })
            .collect();
        let count = |text: &str| self.tokens_of(text);
        let context = self.context() as usize;
        let room = context.saturating_sub(context / 4).saturating_sub(count(&message) + TEMPLATE);
        let budget = room.min(SMALL) + room.saturating_sub(SMALL) / 2;
        let assembly = prompt::assemble(&materials, budget.min(TOKENS), |segment| count(segment.text()));
        let bytes: usize = assembly.injected.iter().map(|injected| injected.bytes).sum();
        let (count, left_out) = (assembly.injected.len(), assembly.left_out);
        let left = if left_out > 0 { format!(", {left_out} did not fit") } else { String::new() };
        self.library.figures = Some(format!(
            "[Retrieval {label} | {count} passage(s), {bytes} bytes{left} | {} ms]",
            micros / 1000
        ));
        (self.library.injected, self.library.left_out) = (assembly.injected, left_out);
        let passages: String = assembly.segments.iter().map(prompt::Segment::text).collect();
        let whole = (!passages.is_empty()).then(|| format!("{passages}\n{message}"));
        (message, whole)
    }

    fn tokens_of(&self, text: &str) -> usize {
        let Some(language) = &self.model.language else { return text.len() };
        let mut tokens = Vec::new();
        match language.tokenizer.encode(text, false, false, &mut tokens) {
            Ok(()) => tokens.len(),
            Err(_) => text.len(),
        }
    }

    /// The line of figures about passages that stands above an answer's own.
    pub(crate) fn say_retrieval_figures(&mut self) {
        if let Some(figures) = self.library.figures.take() {
            self.say(Level::Plain, &figures);
        }
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

    /// Nothing came from the retriever for long.
    pub(crate) fn retriever_is_silent(&mut self) {
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

    // ---- commands ----

    /// A text for the retriever that is arriving.
    pub(crate) fn library_text(&mut self, id: u32, what: RagText, piece: &Piece, last: bool) {
        let Some(whole) = self.gather(id, Kind::Library, piece, last) else { return };
        if !self.has_retriever() {
            return;
        }
        self.library.search = None;
        let task = match what {
            RagText::Note => Task::Note,
            RagText::Fact => Task::Fact,
            RagText::Remove => Task::Remove,
            RagText::Recall => Task::Recall,
            RagText::Find => return self.search(Purpose::Show, &whole),
            RagText::Correct => return self.correct(&whole),
        };
        self.send_text(task, &whole);
    }

    fn has_retriever(&mut self) -> bool {
        let there = self.library.side.is_some();
        if !there {
            self.refuse("this system has no retriever");
        }
        there
    }

    /// `/rag` and `/fact` without a text.
    pub(crate) fn library_command(&mut self, id: u32, what: Rag) {
        if !self.accept(id, Kind::Library) || !self.has_retriever() {
            return;
        }
        self.library.search = None;
        let ask = match what {
            Rag::On | Rag::Off => return self.switch(what == Rag::On),
            Rag::Sources => {
                let lines = sources::injected(&self.library.injected, self.library.left_out);
                self.say(Level::Plain, &lines);
                return self.end(true);
            }
            Rag::List => Ask::List,
            Rag::Scan => Ask::Scan,
            Rag::Format => Ask::Format,
            Rag::Facts => Ask::Facts,
            Rag::ForgetFact(fact) => Ask::ForgetFact(fact),
            Rag::Learn(_) => return self.end(false),
        };
        let id = self.next_id();
        self.library.request = id;
        self.library.push(ToRetriever::Ask { id, what: ask });
        self.patience.start(SILENCE);
    }

    fn switch(&mut self, on: bool) {
        self.library.on = on;
        self.tell_retrieval();
        let line = format!("retrieval: {}", self.library.description());
        self.say(Level::Plain, &line);
        self.end(true);
    }

    // ---- episodes ----

    /// Lets the retriever remember a command.
    pub(crate) fn remember_command(&mut self, line: &str) {
        self.library.push(ToRetriever::Happened { event: Event::Command { line: beginning(line) } });
    }

    /// Lets the retriever remember the last turn.
    pub(crate) fn remember_turn(&mut self) {
        let Some(turn) = self.conversation.turns().back() else { return };
        let answer = turn.answer.as_deref().unwrap_or_default();
        let event = Event::Conversation { question: beginning(&turn.message), answer: beginning(answer) };
        self.library.push(ToRetriever::Happened { event });
    }
}

/// As much of a text as an event carries.
fn beginning(text: &str) -> Short {
    List::new(&text.as_bytes()[..text.floor_char_boundary(110.min(text.len()))])
}
