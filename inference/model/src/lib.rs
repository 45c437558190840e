// SPDX-License-Identifier: MIT
//! Model graphs: binds the tensors of a GGUF file to one of the known architectures and computes logits.
//!
//! The one design rule: **one forward pass, described by data**. [`Family`] says how an architecture differs (norms,
//! rotation, gates, windows …); [`Worker`] runs the same steps for all of them.
//!
//! Workers: the pass is written for `n` workers that execute the same steps, each over its own rows of every weight
//! matrix and its own attention heads. A worker owns its scratch memory and the keys and values of its heads; what
//! others need it publishes in its *outbox*, a region that only it writes ([`Team`]). So workers may be threads, or
//! protection domains that map each other's outboxes read-only, at whatever addresses. One worker alone needs no
//! outbox. Results are the same bits for any number of workers and any batch size.
//!
//! Adapters ([`Adapter`], LoRA) are computed beside the weights, which stay as they are.
//!
//! Memory: weights are slices of the file; everything else is handed in by the caller, in the sizes that
//! [`Model::needs`] states. After [`Model::bind`] nothing is allocated.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod adapter;
mod attend;
mod bind;
mod cache;
mod engine;
mod error;
mod family;
mod graph;
mod hyper;
mod memory;
mod share;
mod span;
mod tables;
mod team;
mod worker;

pub use adapter::{Adapter, MOST_RANK, Part};
pub use engine::{Engine, Step};
pub use error::{EvalError, ModelError};
pub use family::{Activate, Family, NormKind, Residual, Windows};
pub use graph::{Layer, Linear, Model, Norm};
pub use hyper::Hyper;
pub use inference_kernels::{CacheKind, CpuFeatures, Kernels};
pub use memory::{Config, Needs};
pub use team::{Pace, Spin, Team};
pub use worker::{Progress, Worker};
