// SPDX-License-Identifier: MIT
//! The session: what was said, and how it becomes tokens and text again.
//!
//! One design rule: nothing is dropped, cut or guessed silently. Whatever session does to a conversation (drops old
//! messages, refuses a prompt, goes on after a fault) it announces, with numbers.
//!
//! It owns the conversation, the system prompt, the sampling parameters, the tokenizer and the chat template. It
//! sees no device and no weights: of the model only the header, which the loader copied into `vocabulary` and which
//! session stops reading when the supervisor says so.
//!
//! A model without a chat template continues a text and knows no turns: with it, each message is a text of its own.
//!
//! Limits: messages and system prompts of 64 KiB, 256 KiB of conversation, one request at a time, four stop strings.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod answer;
mod ask;
mod benchmark;
mod compute_side;
mod console_side;
mod context;
pub mod conversation;
mod grounding;
mod guided;
pub mod language;
mod learn;
mod library;
mod library_commands;
mod models;
mod outbox;
mod request;
mod retriever_side;
mod session;
pub mod settings;
mod show;
mod sources;
pub mod stops;
mod supervisor_side;

use ipc_link::Link;
use ipc_pd::Channel;
use ipc_protocol::{
    console_session, session_compute, session_retriever, session_supervisor, session_trainer,
};
pub use session::Session;

/// To and from the console.
pub const CONSOLE: Channel = Channel::new(1);
/// To and from the supervisor.
pub const SUPERVISOR: Channel = Channel::new(3);
/// To and from compute.
pub const COMPUTE: Channel = Channel::new(4);
/// To and from the retriever.
pub const RETRIEVER: Channel = Channel::new(9);
/// To and from the trainer.
pub const TRAINER: Channel = Channel::new(10);
/// Protected calls to the timer, and its signal.
pub const TIMER: Channel = Channel::new(22);

/// The link to the console.
pub type ConsoleLink = Link<console_session::ToConsole, console_session::ToSession>;
/// The link to the supervisor.
pub type SupervisorLink = Link<session_supervisor::ToSupervisor, session_supervisor::ToSession>;
/// The link to compute.
pub type ComputeLink = Link<session_compute::ToCompute, session_compute::ToSession>;
/// The link to the trainer.
pub type TrainerLink = Link<session_trainer::ToTrainer, session_trainer::ToSession>;
/// The link to the retriever.
pub type RetrieverLink = Link<session_retriever::ToRetriever, session_retriever::ToSession>;
