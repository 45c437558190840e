// SPDX-License-Identifier: MIT
//! What is to be said to session and has not yet fitted the link.
//!
//! One design rule: bounded. A long text is not queued: it stays in the draft, and its pieces are made when there is
//! room for them.

use crate::SessionLink;
use core::ops::Range;
use ipc_link::LinkError;
use ipc_protocol::console_session::{RagText, ToSession};
use ipc_protocol::{PIECE, Piece};

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A message.
    Message,
    /// A system prompt.
    System,
    /// A request in English.
    Ask,
    /// Something for the retriever.
    Library(RagText),
}

#[derive(Debug)]
struct Text {
    id: u32,
    kind: TextKind,
    rest: Range<usize>,
}

/// Messages to session, and a text under way.
#[derive(Debug, Default)]
pub struct Outbox {
    queue: heapless::Deque<ToSession, 4>,
    text: Option<Text>,
}

impl Outbox {
    /// Queues a message. The console has one request at a time, so there is room for it and its cancellation.
    pub fn push(&mut self, message: ToSession) {
        self.queue.push_back(message).ok();
    }

    /// Sends bytes `range` of the draft's text.
    pub fn push_text(&mut self, id: u32, kind: TextKind, range: Range<usize>) {
        self.text = Some(Text { id, kind, rest: range });
    }

    /// Forgets what was not sent.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.text = None;
    }

    /// Forgets the rest of a text.
    pub fn stop_text(&mut self) {
        self.text = None;
    }

    /// Sends what fits; whether something was sent.
    ///
    /// # Errors
    /// The session broke the protocol.
    pub fn send(&mut self, link: &mut SessionLink, draft: &str) -> Result<bool, LinkError> {
        let mut sent = false;
        while let Some(message) = self.queue.front() {
            if !fits(link.send(message))? {
                return Ok(sent);
            }
            self.queue.pop_front();
            sent = true;
        }
        while let Some((message, end)) = self.next_piece(draft) {
            if !fits(link.send(&message))? {
                return Ok(sent);
            }
            self.advance(end);
            sent = true;
        }
        Ok(sent)
    }

    fn next_piece(&self, draft: &str) -> Option<(ToSession, usize)> {
        let Text { id, kind, rest } = self.text.as_ref()?;
        let end = (rest.start + PIECE).min(rest.end);
        let piece = Piece::new(draft.as_bytes().get(rest.start..end).unwrap_or_default());
        let (id, last) = (*id, end == rest.end);
        let message = match kind {
            TextKind::Message => ToSession::Text { id, piece, last },
            TextKind::System => ToSession::System { id, piece, last },
            TextKind::Ask => ToSession::Ask { id, piece, last },
            TextKind::Library(what) => ToSession::RagText { id, what: *what, piece, last },
        };
        Some((message, end))
    }

    fn advance(&mut self, end: usize) {
        match self.text.as_mut() {
            Some(text) if end < text.rest.end => text.rest.start = end,
            _ => self.text = None,
        }
    }
}

/// Whether a message was sent.
pub fn fits(result: Result<(), LinkError>) -> Result<bool, LinkError> {
    match result {
        Ok(()) => Ok(true),
        Err(LinkError::Full) => Ok(false),
        Err(error) => Err(error),
    }
}
