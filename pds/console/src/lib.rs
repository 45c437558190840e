// SPDX-License-Identifier: MIT
//! The console: the terminal's side of a conversation.
//!
//! One design rule: the user is never left without an answer. Every request ends with its result or with a message
//! that says which server is silent, and the prompt comes back; whatever arrives from a server is shown so that it
//! can neither act on the terminal nor destroy the line being typed.
//!
//! It sees no weights and no disk, and keeps nothing of the conversation but the lines typed. No heap.
//!
//! Limits: messages of 32 KiB ([`draft::LONGEST_MESSAGE`]); one request at a time; while it is under way, 1 KiB of
//! typing is kept for later.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

#[cfg(not(any(target_os = "none", cloister_pd)))]
extern crate std;

mod ask;
mod banner;
pub mod command;
pub mod commands;
mod console;
pub mod draft;
pub mod editor;
pub mod figures;
mod from_session;
mod from_supervisor;
pub mod help;
pub mod history;
pub mod keys;
mod memory;
mod mode;
mod outbox;
pub mod printable;
mod requests;
mod scrub;
pub mod terminal;
mod uart;
pub mod words;

pub use console::Console;
use ipc_link::Link;
use ipc_pd::Channel;
use ipc_protocol::{console_session, console_supervisor};
pub use terminal::Terminal;
pub use uart::Uart;

/// To and from session.
pub const SESSION: Channel = Channel::new(1);
/// To and from the supervisor.
pub const SUPERVISOR: Channel = Channel::new(2);
/// Protected calls to the timer, and its signal.
pub const TIMER: Channel = Channel::new(20);
/// The UART's interrupt.
pub const UART: Channel = Channel::new(30);

/// The link to session.
pub type SessionLink = Link<console_session::ToSession, console_session::ToConsole>;
/// The link to the supervisor.
pub type SupervisorLink = Link<console_supervisor::ToSupervisor, console_supervisor::ToConsole>;
