// SPDX-License-Identifier: MIT
//! Requests in which session chooses the tokens: compute offers the best candidates and waits.
//!
//! One design rule: compute knows no texts and no grammar. What it offers is bounded ([`MOST_CANDIDATES`] for a token),
//! and what comes back is checked like any message.

use alloc::vec::Vec;
use inference_sampler::{Candidate, top};
use ipc_protocol::List;
use ipc_protocol::session_compute::{CANDIDATES, MOST_CANDIDATES, Refusal, ToSession};

use crate::Leader;
use crate::request::Request;

/// How far a guided request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guide {
    /// Candidates were sent, and session has not answered.
    pub waiting: bool,
    /// Candidates for this token that were sent before.
    skipped: usize,
}

impl Guide {
    /// The next candidates, best first; none when all have been sent.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn candidates(&self, logits: &[f32], room: &mut Vec<Candidate>) -> Result<List<u32, CANDIDATES>, ()> {
        let wanted = (self.skipped + CANDIDATES).min(MOST_CANDIDATES).min(logits.len());
        room.try_reserve(wanted.saturating_sub(room.len())).map_err(|_| ())?;
        room.resize(wanted, Candidate::default());
        let found = top(logits, room);
        let tokens: heapless::Vec<u32, CANDIDATES> =
            room[..found].iter().skip(self.skipped).map(|candidate| candidate.token).collect();
        Ok(List(tokens))
    }

    /// As session is told.
    pub fn message(&self, request: &Request, tokens: List<u32, CANDIDATES>) -> ToSession {
        let (sequence, skipped) = (request.sent as u32, self.skipped as u32);
        ToSession::Candidates { id: request.id, sequence, skipped, tokens }
    }
}

impl Leader {
    /// Session wants to choose.
    pub(crate) fn guide(&mut self, id: u32) {
        self.check(id, |request| {
            let early = !request.started && request.guide.is_none();
            request.guide = Some(Guide::default());
            early
        });
    }

    /// Session chose a token, or (`None`) wants to see more.
    pub(crate) fn guided(&mut self, id: u32, sequence: u32, token: Option<u32>) {
        let vocabulary = self.facts.map_or(0, |facts| facts.vocabulary);
        let known = token.is_none_or(|token| token < vocabulary);
        let Some(request) = self.request.as_mut().filter(|request| request.id == id) else { return };
        let sent = request.sent as u32;
        match (&mut request.guide, token) {
            (Some(guide), None) if guide.waiting && sequence == sent => {
                guide.skipped += CANDIDATES;
                guide.waiting = false;
            }
            (Some(guide), Some(token)) if guide.waiting && sequence == sent && known => {
                *guide = Guide::default();
                request.note_token();
                request.tokens.push(token);
                request.sent += 1;
            }
            _ => {
                self.request = None;
                self.refuse(id, Refusal::BadRequest);
            }
        }
    }
}
