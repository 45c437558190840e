//! A link with an outbox: messages wait here while the peer is full or down.
//!
//! One design rule: nobody waits for a peer. The outbox is bounded; when it is full the newest message is dropped
//! and counted, so a peer that reads nothing loses its own messages only.

use heapless::Deque;
use ipc_link::{Link, LinkError, LinkState};
use ipc_pd::Channel;
use memory_region::{Readable, Writable};
use serde::{Serialize, de::DeserializeOwned};

/// The two regions of a link: ours and the peer's.
pub type Regions = (Writable<'static>, Readable<'static>);

/// Most messages taken from one peer in one turn: a peer that floods the link waits for the next one.
pub const PER_TURN: usize = 64;

/// What a peer had to say.
#[derive(Debug, PartialEq)]
pub enum News<Rx> {
    /// It (re)started: what was under way is lost.
    Started,
    /// A message.
    Message(Rx),
    /// It broke the protocol.
    Misbehaved,
    /// Nothing more.
    Nothing,
}

/// One peer; `None` where the system description has no such link.
pub struct Post<Tx, Rx, const N: usize> {
    link: Option<Link<Tx, Rx>>,
    outbox: Deque<Tx, N>,
    dropped: u32,
    /// The peer was stopped: what its region holds is not to be read until it has started again.
    gone: bool,
}

impl<Tx: Serialize, Rx: DeserializeOwned, const N: usize> Post<Tx, Rx, N> {
    /// Starts the link.
    pub fn start(regions: Option<Regions>, channel: Channel) -> Self {
        let link = regions.map(|(mine, theirs)| Link::start(mine, theirs, channel));
        Self { link, outbox: Deque::new(), dropped: 0, gone: false }
    }

    /// Sends as soon as possible, after everything that already waits. What is said to a peer that is gone waits until
    /// it has started again.
    pub fn send(&mut self, message: Tx) {
        if self.outbox.push_back(message).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
        self.flush();
    }

    /// Sends if nothing waits and there is room now; says whether it did.
    pub fn offer(&mut self, message: &Tx) -> bool {
        !self.gone
            && self.outbox.is_empty()
            && self.link.as_mut().is_some_and(|link| link.send(message).is_ok())
    }

    /// Sends what waits, as far as the peer has room.
    pub fn flush(&mut self) {
        let Some(link) = &mut self.link else { return self.outbox.clear() };
        if self.gone {
            return;
        }
        while let Some(first) = self.outbox.front() {
            match link.send(first) {
                Err(LinkError::Full | LinkError::PeerMisbehaved) => return,
                Ok(()) | Err(LinkError::TooLarge) => self.outbox.pop_front(),
            };
        }
    }

    /// Forgets what waits: the peer that it was meant for is gone.
    pub fn forget(&mut self) {
        self.outbox.clear();
    }

    /// The peer was stopped and will start afresh, if at all.
    pub fn peer_is_gone(&mut self) {
        self.gone = true;
    }

    /// Messages dropped since the last question.
    pub fn take_dropped(&mut self) -> u32 {
        core::mem::take(&mut self.dropped)
    }

    /// The next piece of news.
    pub fn next(&mut self) -> News<Rx> {
        let Some(link) = &mut self.link else { return News::Nothing };
        if link.poll() == LinkState::PeerStarted {
            self.gone = false;
            return News::Started;
        }
        if self.gone {
            return News::Nothing;
        }
        match link.receive() {
            Ok(Some(message)) => News::Message(message),
            Ok(None) => News::Nothing,
            Err(_) => News::Misbehaved,
        }
    }
}
