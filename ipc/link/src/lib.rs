//! A typed link between two PDs: a ring, a channel to wake the peer, and messages in postcard's encoding.
//!
//! One design rule: a message is copied out of shared memory, then decoded, then believed to be no more than a
//! well-formed message; what it says is checked by whoever acts on it.
//!
//! A slot is 2 bytes of length and up to [`MAX_ENCODED`] bytes of postcard.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

mod patience;

use core::marker::PhantomData;
use ipc_pd::Channel;
pub use ipc_ring::LinkState;
use ipc_ring::{Duplex, SLOT_BYTES, SLOT_WORDS, Sent};
use memory_region::{Readable, Writable};
pub use patience::Patience;
use serde::{Serialize, de::DeserializeOwned};

/// Largest encoded message in bytes.
pub const MAX_ENCODED: usize = SLOT_BYTES - 2;

/// Why a link gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The queue is full or the peer is not up: keep the message and try again when the channel is signalled.
    Full,
    /// The message does not fit a slot. A mistake of this PD; the protocol's tests assert that it cannot happen.
    TooLarge,
    /// The peer published an impossible index or a message that does not decode: stop trusting the link.
    PeerMisbehaved,
}

impl core::fmt::Display for LinkError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Full => "the peer's queue is full",
            Self::TooLarge => "the message is larger than a slot",
            Self::PeerMisbehaved => "the peer broke the protocol",
        })
    }
}

/// One side of a link that sends `Tx` and receives `Rx`.
pub struct Link<Tx, Rx> {
    ring: Duplex<Writable<'static>, Readable<'static>, SLOT_WORDS>,
    channel: Channel,
    types: PhantomData<fn(Tx) -> Rx>,
}

impl<Tx: Serialize, Rx: DeserializeOwned> Link<Tx, Rx> {
    /// Starts this side and wakes the peer.
    pub fn start(mine: Writable<'static>, theirs: Readable<'static>, channel: Channel) -> Self {
        let link = Self { ring: Duplex::start(mine, theirs), channel, types: PhantomData };
        channel.notify();
        link
    }

    /// The channel that wakes this link's peer, and that the peer signals.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Follows a peer that restarted. Call when the channel is signalled, before receiving.
    ///
    /// # Panics
    /// When this side's own region was overwritten: only this program can have done it, so it is beside itself, and a
    /// fresh start is what helps.
    pub fn poll(&mut self) -> LinkState {
        assert!(self.ring.is_intact(), "this PD has overwritten its own side of a link");
        let state = self.ring.poll_link();
        if state == LinkState::PeerStarted {
            self.channel.notify();
        }
        state
    }

    /// How often the peer has started.
    pub fn peer_epoch(&self) -> u64 {
        self.ring.peer_epoch()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// See [`LinkError`]; after any of them nothing was sent.
    pub fn send(&mut self, message: &Tx) -> Result<(), LinkError> {
        let mut bytes = [0; SLOT_BYTES];
        let length = postcard::to_slice(message, &mut bytes[2..]).map_err(|_| LinkError::TooLarge)?.len();
        bytes[..2].copy_from_slice(&(length as u16).to_le_bytes());
        match self.ring.push(&to_words(&bytes)) {
            Ok(Sent::Queued) => Ok(()),
            Ok(Sent::Notify) => {
                self.channel.notify();
                Ok(())
            }
            Ok(Sent::Full) => Err(LinkError::Full),
            Err(_) => Err(LinkError::PeerMisbehaved),
        }
    }

    /// Takes the next message, if there is one.
    ///
    /// # Errors
    /// [`LinkError::PeerMisbehaved`]; a message that did not decode has been taken off the queue.
    pub fn receive(&mut self) -> Result<Option<Rx>, LinkError> {
        let Some((words, wanted)) = self.ring.pop().map_err(|_| LinkError::PeerMisbehaved)? else {
            return Ok(None);
        };
        if wanted {
            self.channel.notify();
        }
        let bytes = to_bytes(&words);
        let length = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        let encoded = bytes[2..].get(..length).ok_or(LinkError::PeerMisbehaved)?;
        postcard::from_bytes(encoded).map(Some).map_err(|_| LinkError::PeerMisbehaved)
    }

    /// Messages that can be sent now; 0 when the peer misbehaves.
    pub fn room(&self) -> u64 {
        self.ring.room().unwrap_or(0)
    }

    /// Messages that wait to be received: the queue's depth.
    pub fn waiting(&self) -> u64 {
        self.ring.waiting().unwrap_or(0)
    }
}

fn to_words(bytes: &[u8; SLOT_BYTES]) -> [u64; SLOT_WORDS] {
    core::array::from_fn(|i| u64::from_le_bytes(core::array::from_fn(|j| bytes[i * 8 + j])))
}

fn to_bytes(words: &[u64; SLOT_WORDS]) -> [u8; SLOT_BYTES] {
    core::array::from_fn(|i| words[i / 8].to_le_bytes()[i % 8])
}
