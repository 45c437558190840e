//! The retriever: will find passages of the user's documents. It does nothing yet, and says so.
//!
//! Its place in the system is real: its own protection domain, with its own health page, that the supervisor
//! watches and restarts. Embeddings, index and store are not wired in; gauge 1 says so ([`NOT_BUILT`]).
#![no_std]
#![forbid(unsafe_code)]

use core::convert::Infallible;
use ipc_pd::{Handler, health};

/// Gauge 1 of a retriever that cannot retrieve.
pub const NOT_BUILT: u64 = u64::MAX;

/// The PD's handler.
pub struct Retriever;

impl Retriever {
    /// Starts it and publishes what it cannot do.
    pub fn start() -> Self {
        health::gauge(1, NOT_BUILT);
        Self
    }
}

impl Handler for Retriever {
    type Error = Infallible;
}
