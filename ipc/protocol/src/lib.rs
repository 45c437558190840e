//! What PDs say to each other: one file per interface, named after its two sides.
//!
//! One design rule: a message fits one slot whatever its fields hold, and that is asserted when this crate is
//! compiled. Longer things (texts, prompts, lists) travel in pieces.
//!
//! Messages are enums in postcard's encoding; new variants go at the end. Byte strings in them are data, never
//! checked UTF-8: whoever shows them makes them printable.
#![no_std]
#![forbid(unsafe_code)]

pub mod adapter;
pub mod compute_worker;
pub mod console_session;
pub mod console_supervisor;
pub mod event;
pub mod guardian;
mod page;
pub mod platform;
pub mod session_compute;
pub mod session_retriever;
pub mod session_supervisor;
pub mod session_trainer;
pub mod signing;
pub mod storage;
pub mod supervisor_compute;
pub mod supervisor_loader;
pub mod supervisor_retriever;
pub mod timer;

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Largest encoded message: a slot of 256 bytes less its length field.
pub const MAX_ENCODED: usize = 254;

/// Most bytes of text in one message.
pub const PIECE: usize = 200;

/// Up to `N` values: a `heapless::Vec` whose largest encoding is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct List<T, const N: usize>(pub heapless::Vec<T, N>);

impl<T: MaxSize, const N: usize> MaxSize for List<T, N> {
    /// A length below 16,384 takes two bytes at most.
    const POSTCARD_MAX_SIZE: usize = 2 + N * T::POSTCARD_MAX_SIZE;
}

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self(heapless::Vec::new())
    }
}

impl<T: Clone, const N: usize> List<T, N> {
    /// As many of `values` as fit.
    pub fn new(values: &[T]) -> Self {
        Self(heapless::Vec::from_slice(&values[..values.len().min(N)]).unwrap_or_default())
    }
    /// The values.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

/// A piece of a text.
pub type Piece = List<u8, PIECE>;

/// A name of at most 96 bytes: of a model file, a PD.
pub type Name = List<u8, 96>;

impl<const N: usize> List<u8, N> {
    /// The text for people; bytes that are not UTF-8 make it "?".
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("?")
    }
}

macro_rules! fits {
    ($($message:ty),*) => { $(const _: () = assert!(<$message as MaxSize>::POSTCARD_MAX_SIZE <= MAX_ENCODED);)* };
}
fits!(
    compute_worker::ToWorker,
    compute_worker::ToCompute,
    console_session::ToSession,
    console_session::ToConsole,
    console_supervisor::ToSupervisor,
    console_supervisor::ToConsole,
    session_compute::ToCompute,
    session_compute::ToSession,
    session_retriever::ToRetriever,
    session_retriever::ToSession,
    session_supervisor::ToSupervisor,
    session_supervisor::ToSession,
    session_trainer::ToTrainer,
    session_trainer::ToSession,
    storage::ToStorage,
    storage::ToClient,
    supervisor_compute::ToCompute,
    supervisor_compute::ToSupervisor,
    supervisor_loader::ToLoader,
    supervisor_loader::ToSupervisor,
    supervisor_retriever::ToRetriever,
    supervisor_retriever::ToSupervisor
);
