//! Compute: the forward pass, the key-value cache, the choice of the next token.
//!
//! One design rule: compute sees token ids and weights, never text, disk or UART. The [`Leader`] takes requests from
//! session; [`Follower`]s on other cores run the same forward pass over their own rows and heads. What a request costs
//! is one forward pass per token that the cache does not hold already.
//!
//! A request survives everything but its session: when a worker is lost, the team is set up again and the answer goes
//! on, with the same bits, from the tokens that the request remembers.
//!
//! Limits: one request at a time; at most four workers.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod adapters;
mod crew;
mod follower;
mod guide;
mod leader;
mod loaded;
mod mail;
mod request;
mod watch;
mod work;

pub use crew::{Crew, WorkerLink};
pub use follower::Follower;
pub use leader::Leader;
pub use loaded::Memory;

use ipc_pd::Channel;

/// Most workers, the leader included.
pub const MAX_WORKERS: usize = 4;
/// Channel to session.
pub const SESSION: Channel = Channel::new(4);
/// Channel to the supervisor.
pub const SUPERVISOR: Channel = Channel::new(5);
/// Channels to the workers, by number less one.
pub const WORKERS: [Channel; 3] = [Channel::new(11), Channel::new(12), Channel::new(13)];
/// A worker's channel to the leader.
pub const LEADER: Channel = Channel::new(10);
/// Channel to the timer.
pub const TIMER: Channel = Channel::new(23);

/// Handler of either kind: the program is the same on every core, the PD's name says which it is.
pub enum Compute {
    /// Core 0.
    Leader(Leader),
    /// Another core.
    Follower(Follower),
}

impl ipc_pd::Handler for Compute {
    type Error = core::convert::Infallible;

    fn notified(&mut self, channels: ipc_pd::ChannelSet) -> Result<(), Self::Error> {
        match self {
            Self::Leader(leader) => leader.notified(channels),
            Self::Follower(follower) => follower.notified(),
        }
        Ok(())
    }
}
