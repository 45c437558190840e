// SPDX-License-Identifier: MIT
//! The retriever's side: one request at a time, and what its answer leads to.

use super::{Pair, Step, Wanted};
use crate::request::Kind;
use crate::session::{SILENCE, Session, text};
use alloc::string::String;
use ipc_protocol::console_session::Level;
use ipc_protocol::session_retriever::{Ask, Learning as Want, ToRetriever, ToSession};

/// Most bytes of a pair that are taken in.
const LONGEST_PAIR: usize = 4096;
/// Most pairs and versions.
const MOST: usize = 512;

impl Session {
    /// Asks for something about pairs or adapters.
    pub(super) fn want(&mut self, what: Want, step: Step) {
        self.queue(ToRetriever::Ask { id: 0, what: Ask::Learning(what) }, step);
    }

    /// Makes a request, now or after those before it. Texts come in pieces of one request.
    pub(super) fn queue(&mut self, message: ToRetriever, step: Step) {
        self.learning.queue.push((message, step));
        self.ask_next();
    }

    fn ask_next(&mut self) {
        while !self.learning.queue.is_empty() && (self.learning.asked.is_none() || self.learning.open) {
            let same = self.learning.asked.filter(|_| self.learning.open);
            let id = same.map_or_else(|| self.next_id(), |(id, _)| id);
            let (message, step) = self.learning.queue.remove(0);
            let (message, whole) = numbered(message, id);
            self.library.push(message);
            (self.learning.asked, self.learning.open) = (Some((id, step)), !whole);
        }
    }

    /// A new life of the retriever: what was asked is lost.
    pub(crate) fn learning_lost(&mut self) {
        let waiting = self.learning.asked.take().is_some();
        self.learning.open = false;
        self.learning.line.clear();
        self.learning.queue.clear();
        self.learning.wish = self.learning.wish.filter(|wish| wish.told);
        if waiting && self.is(Kind::Learn) {
            self.refuse("the retriever restarted: ask again; what is stored stays");
        }
    }

    /// Takes what belongs to a request from here; gives the rest back.
    pub(crate) fn learning_hears(&mut self, message: ToSession) -> Option<ToSession> {
        let Some((mine, step)) = self.learning.asked else { return Some(message) };
        if self.is(Kind::Learn) {
            self.patience.start(SILENCE);
        }
        match message {
            ToSession::Pair { id, number, kind, question } if id == mine => {
                if self.learning.pairs.len() < MOST {
                    let (question_text, answer) = (String::new(), String::new());
                    self.learning.pairs.push(Pair { number, kind, question: question_text, answer });
                }
                (self.learning.question, self.learning.arriving) = (question as usize, Default::default());
            }
            ToSession::Text { id, piece, last } if id == mine => self.pair_text(piece.as_slice(), last),
            ToSession::Version { id, version } if id == mine => {
                if self.learning.versions.len() < MOST {
                    self.learning.versions.push(version);
                }
            }
            ToSession::Loaded { id, place } if id == mine => self.learning.loaded = Some(place),
            ToSession::Line { id, piece, last } if id == mine => {
                self.learning_line(piece.as_slice(), last, step)
            }
            ToSession::Done { id, ok, .. } if id == mine => {
                self.learning.asked = None;
                self.learning_done(step, ok);
                self.ask_next();
            }
            other => return Some(other),
        }
        None
    }

    fn pair_text(&mut self, piece: &[u8], last: bool) {
        let learning = &mut self.learning;
        if learning.arriving.len() < LONGEST_PAIR {
            learning.arriving.extend_from_slice(piece);
        }
        if last {
            let whole = text(&core::mem::take(&mut learning.arriving));
            let split = whole.split_at_checked(learning.question);
            if let (Some(pair), Some((question, answer))) = (learning.pairs.last_mut(), split) {
                (pair.question, pair.answer) = (question.into(), answer.into());
            }
        }
    }

    /// Lines say what was done, or why it was not.
    fn learning_line(&mut self, piece: &[u8], last: bool, step: Step) {
        if self.learning.line.len() < LONGEST_PAIR {
            self.learning.line.extend_from_slice(piece);
        }
        if last {
            let line = text(&core::mem::take(&mut self.learning.line));
            if step != Step::Quiet {
                self.say(Level::Plain, &line);
            }
        }
    }

    fn learning_done(&mut self, step: Step, ok: bool) {
        if !ok {
            return self.learning_failed(step);
        }
        match step {
            Step::Quiet => {}
            Step::Done => self.end_learning(true),
            Step::Switched(on) => self.say_switched(on),
            Step::Forgotten => self.forgotten(),
            Step::Pairs(wanted) => self.ask_versions(wanted),
            Step::Versions(wanted) => self.with_versions(wanted),
            Step::Kept => self.use_kept(),
            Step::Loaded(then) => self.wish_loaded(then),
            Step::Activated(version) => self.activated(version),
        }
    }

    /// The last line said why.
    fn learning_failed(&mut self, step: Step) {
        if matches!(step, Step::Kept | Step::Loaded(_) | Step::Activated(_)) {
            self.say(Level::Error, "learning: the adapter in use stays as it was");
        }
        if step == Step::Versions(Wanted::Boot) {
            self.learning.looked_up = None;
        }
        self.end_learning(false);
    }

    /// Ends the console's request, if it was about learning.
    pub(super) fn end_learning(&mut self, ok: bool) {
        if self.is(Kind::Learn) {
            self.end(ok);
        }
    }

    pub(super) fn ask_pairs(&mut self, wanted: Wanted) {
        self.learning.pairs.clear();
        self.want(Want::Pairs, Step::Pairs(wanted));
    }

    pub(super) fn ask_versions(&mut self, wanted: Wanted) {
        self.learning.versions.clear();
        self.want(Want::Versions, Step::Versions(wanted));
    }
}

/// The message under its number, and whether it is a whole request.
fn numbered(message: ToRetriever, number: u32) -> (ToRetriever, bool) {
    match message {
        ToRetriever::Text { task, piece, last, .. } => {
            (ToRetriever::Text { id: number, task, piece, last }, last)
        }
        ToRetriever::Ask { what, .. } => (ToRetriever::Ask { id: number, what }, true),
        other => (other, true),
    }
}
