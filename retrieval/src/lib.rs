// SPDX-License-Identifier: MIT
//! Retrieval: passages, vectors, episodes and facts that survive a power cut.
//!
//! The crate knows no IPC and no board: storage is a [`store::BlockDevice`], embeddings come from an
//! [`embed::Embedder`], and all memory is bounded by limits given when a part is made.
//! One design rule: what the store has acknowledged is the truth; every index is rebuilt from it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod chunk;
pub mod embed;
pub mod episodes;
pub mod evidence;
pub mod graph;
pub mod index;
pub mod memory;
pub mod prompt;
pub mod record;
pub mod sought;
pub mod store;
