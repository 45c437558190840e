// SPDX-License-Identifier: MIT
//! Session's side: what it asks, looked at even while a passage is embedded, and what it is told.
//!
//! One design rule: bounded. No more is taken from the link than is kept, and nothing that makes many messages begins
//! while many wait.

use crate::SessionLink;
use alloc::collections::VecDeque;
use ipc_link::{LinkError, LinkState};
use ipc_protocol::session_retriever::{ToRetriever, ToSession};
use ipc_protocol::{PIECE, Piece};

/// Messages that are kept.
const KEPT: usize = 16;
/// Messages that may wait for session.
const MOST: usize = 4096;

/// The link with what was heard and what is to be said.
pub(crate) struct Inbox {
    link: SessionLink,
    heard: VecDeque<ToRetriever>,
    said: VecDeque<ToSession>,
    /// A request that the user stopped.
    cancelled: Option<u32>,
    quiet: bool,
    broken: bool,
    restarted: bool,
}

impl Inbox {
    pub fn new(link: SessionLink) -> Self {
        Self {
            link,
            heard: VecDeque::new(),
            said: VecDeque::new(),
            cancelled: None,
            quiet: false,
            broken: false,
            restarted: false,
        }
    }

    /// Takes messages as far as they are kept.
    pub fn look(&mut self) {
        if self.link.poll() == LinkState::PeerStarted {
            self.heard.clear();
            self.said.clear();
            (self.broken, self.restarted, self.quiet, self.cancelled) = (false, true, false, None);
        }
        while !self.broken && self.heard.len() < KEPT {
            match self.link.receive() {
                Ok(Some(ToRetriever::Cancel { id })) => self.cancelled = Some(id),
                Ok(Some(ToRetriever::Quiet { on })) => self.quiet = on,
                Ok(Some(message)) => self.heard.push_back(message),
                Ok(None) => return,
                Err(_) => self.broken = true,
            }
        }
    }

    /// The next message.
    pub fn next(&mut self) -> Option<ToRetriever> {
        self.look();
        self.heard.pop_front()
    }

    /// Whether session has (re)started since the last question: it knows nothing.
    pub fn take_restarted(&mut self) -> bool {
        core::mem::take(&mut self.restarted)
    }

    /// Whether something waits to be done.
    pub fn has_mail(&self) -> bool {
        !self.heard.is_empty()
    }

    /// Messages that wait.
    pub fn waiting(&self) -> u64 {
        self.heard.len() as u64 + self.link.waiting()
    }

    /// Whether an answer is being made.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the user stopped this request.
    pub fn is_cancelled(&self, id: u32) -> bool {
        self.cancelled == Some(id)
    }

    /// Says something as soon as there is room; what is beyond the bound is lost, as is what a broken peer is told.
    pub fn say(&mut self, message: ToSession) {
        if self.said.len() < MOST && !self.broken {
            self.said.push_back(message);
        }
    }

    /// Says a line.
    pub fn line(&mut self, id: u32, text: &str) {
        for (piece, last) in pieces(text) {
            self.say(ToSession::Line { id, piece, last });
        }
    }

    /// Sends what fits; whether something was sent.
    pub fn flush(&mut self) -> bool {
        let mut sent = false;
        while let Some(message) = self.said.front() {
            match self.link.send(message) {
                Ok(()) => sent = true,
                Err(LinkError::Full) => break,
                Err(_) => {}
            }
            self.said.pop_front();
        }
        sent
    }
}

/// A text in pieces that end between characters, the last of them marked; an empty text is one piece.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = (Piece, bool)> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = text.split_at(text.floor_char_boundary(PIECE.min(text.len())));
        rest = (!after.is_empty()).then_some(after);
        Some((Piece::new(piece.as_bytes()), after.is_empty()))
    })
}

/// The beginning of a text as a name or another short list.
pub(crate) fn short<const N: usize>(text: &str) -> ipc_protocol::List<u8, N> {
    let end = text.floor_char_boundary(N.min(text.len()));
    ipc_protocol::List::new(&text.as_bytes()[..end])
}
