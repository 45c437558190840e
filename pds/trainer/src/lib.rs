// SPDX-License-Identifier: MIT
//! The `trainer` PD: learns an adapter for the model in the weights region from lessons that session gives it.
//!
//! One design rule: it changes nothing that anybody uses. It reads the weights, takes token ids, and writes one region
//! that nobody computes with; whether what lies there is kept and used is for others to decide.
//!
//! It sees no text, no disk, no UART and no prompt but the lessons. The supervisor stops it before the weights change.
//! A job is one long event: after every document it looks for messages, gives a sign of life, and lets others run.
//!
//! Limits: one job at a time, [`MOST_LESSONS`](ipc_protocol::session_trainer::MOST_LESSONS) lessons, llama-type models
//! whose training fits the heap.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod file;
mod job;
mod trainer;
mod work;

pub use job::Job;
pub use trainer::{Means, Trainer};

use ipc_link::Link;
use ipc_pd::Channel;
use ipc_protocol::session_trainer;

/// To and from session.
pub const SESSION: Channel = Channel::new(10);
/// From the supervisor, which asks for signs of life here.
pub const SUPERVISOR: Channel = Channel::new(19);

/// The link to session.
pub type SessionLink = Link<session_trainer::ToSession, session_trainer::ToTrainer>;
