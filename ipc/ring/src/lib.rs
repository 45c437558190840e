//! A duplex queue of fixed-size messages over two one-writer regions.
//!
//! One design rule: a side writes only its own region, and believes nothing it reads in the other one. What
//! other systems keep by convention ("only the producer writes the tail") the MMU then enforces: region
//! `a_to_b` is mapped writable in A alone. Capacity and a side's own indices are private; every index of the
//! peer is checked against them, and a message is copied out before anybody looks at it.
//!
//! Each region holds its owner's epoch, the peer's epoch it has last seen, its producer tail, its consumer
//! head, two wake indices, and the slots it produces; see [`layout`]. A side that restarts raises its epoch;
//! both sides then start their indices at zero again, and [`Duplex::poll_link`] reports it once.
//!
//! Limits: capacity is a power of two; indices are 64-bit and never wrap in practice.
#![cfg_attr(not(loom), no_std)]
#![forbid(unsafe_code)]

mod duplex;
pub mod layout;
mod words;

pub use duplex::{Duplex, LinkState, PeerMisbehaved, Sent};
pub use words::{Load, Store};

/// Message words per slot of every link in the system: 256 bytes.
pub const SLOT_WORDS: usize = 32;
/// Message bytes per slot.
pub const SLOT_BYTES: usize = SLOT_WORDS * 8;
