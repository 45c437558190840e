// SPDX-License-Identifier: MIT
//! Training of llama-type models: forward with saved activations, backward, loss, AdamW; full training and LoRA.
//!
//! The one design rule: **the same bits on every machine**. A batch is cut into a fixed number of shards, each of which
//! sums its gradient alone and in order; shards are added in order. How many threads work on the shards changes nothing,
//! and the kernels give the same bits on every instruction set, so a run repeats exactly from its seed.
//!
//! - [`Net`] is a model seen by training: weights that learn ([`Net::dense`]), or a frozen base of any type with
//!   adapters that learn ([`Net::adapted`]).
//! - [`Gradients`] computes the loss and the gradient of a batch of [`Document`]s; [`AdamW`] moves the parameters.
//! - Documents see only themselves: attention never crosses from one to the next, and positions begin at zero in each.
//!
//! Limits: the llama architecture without scaled rotation; no dropout. Arithmetic is `f32`; [`Plan::bf16`] trades the rule
//! for speed, in products only.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attention;
mod backward;
mod base;
mod batch;
mod error;
mod forward;
mod gradients;
mod head;
pub mod initial;
mod layout;
mod linear;
mod memory;
mod net;
mod optimizer;
pub mod random;
mod schedule;
mod shape;
pub mod tune;
mod workers;

pub use base::Base;
pub use batch::{Document, Order};
pub use error::TrainError;
pub use gradients::{Gradients, Plan, Tally};
pub use inference_model::Part;
pub use layout::{Layout, Slot};
pub use linear::{Adapter, Linear, Source};
pub use net::{Block, Net, Norm, Start};
pub use optimizer::{AdamW, Settings};
pub use schedule::{Curve, Schedule};
pub use shape::Shape;
pub use workers::{Alone, Workers};
