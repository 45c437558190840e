// SPDX-License-Identifier: MIT
//! A link with the messages that did not fit it yet.
//!
//! One design rule: whoever makes messages looks at [`Side::is_backed_up`] first, so the queue stays short.

use alloc::collections::VecDeque;
use ipc_link::{Link, LinkError, LinkState};
use serde::{Serialize, de::DeserializeOwned};

/// Queued messages at which nothing more is taken in that could make new ones.
const MANY: usize = 64;

/// A link with a queue.
pub struct Side<Tx, Rx> {
    link: Link<Tx, Rx>,
    queue: VecDeque<Tx>,
    known: bool,
    /// It broke the protocol: nothing more is believed until it restarts.
    broken: bool,
}

impl<Tx: Serialize, Rx: DeserializeOwned> Side<Tx, Rx> {
    /// Nothing is queued.
    pub fn new(link: Link<Tx, Rx>) -> Self {
        Self { link, queue: VecDeque::new(), known: false, broken: false }
    }

    /// Queues a message.
    pub fn push(&mut self, message: Tx) {
        self.queue.push_back(message);
    }

    /// Sends what fits; whether something was sent. A peer that broke the protocol gets nothing more.
    pub fn flush(&mut self) -> bool {
        let mut sent = false;
        while let Some(message) = self.queue.front() {
            match self.link.send(message) {
                Ok(()) => sent = true,
                Err(LinkError::Full) => break,
                Err(_) => {}
            }
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            // The heap erases what it gets back: nothing that was said stays here.
            self.queue = VecDeque::new();
        }
        sent
    }

    /// Sends a message at once, unless others wait or there is no room; whether it was sent.
    pub fn send_now(&mut self, message: &Tx) -> bool {
        self.queue.is_empty() && self.link.send(message).is_ok()
    }

    /// Whether so much is queued that nothing should be added.
    pub fn is_backed_up(&self) -> bool {
        self.queue.len() >= MANY
    }

    /// Follows the link. `Some(true)`: the peer restarted, and what was under way is lost; `Some(false)`: its first start.
    pub fn poll(&mut self) -> Option<bool> {
        if self.link.poll() != LinkState::PeerStarted {
            return None;
        }
        self.broken = false;
        let restarted = core::mem::replace(&mut self.known, true);
        if restarted {
            self.queue.clear();
        }
        Some(restarted)
    }

    /// The next message.
    ///
    /// # Errors
    /// Once, when the peer broke the protocol; then there are no messages until it restarts.
    pub fn receive(&mut self) -> Result<Option<Rx>, LinkError> {
        if self.broken {
            return Ok(None);
        }
        let received = self.link.receive();
        self.broken = received.is_err();
        received
    }

    /// Messages that wait to be received.
    pub fn waiting(&self) -> u64 {
        self.link.waiting()
    }
}
