// SPDX-License-Identifier: MIT
//! The console's commands as one table.
//!
//! One design rule: what a model may propose, what the console runs and what an evaluation compares are read from the
//! same table ([`TABLE`]). From it come the grammar that holds a model to commands ([`grammar`]), the one spelling of
//! each command ([`canonical`]), and the warning for those that lose something ([`Entry::destructive`]).
//!
//! Without the feature `alloc` (the console has no heap) there is the table and [`find`] alone. Limits: one argument a command; texts of at most 240 characters in a proposal.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "alloc")]
mod canonical;
mod find;
#[cfg(feature = "alloc")]
mod grammar;
mod table;

#[cfg(feature = "alloc")]
pub use canonical::canonical;
pub use find::find;
#[cfg(feature = "alloc")]
pub use grammar::{GRAMMAR_LIMITS, grammar};
pub use table::{Argument, Entry, SERVERS, TABLE, TEMPLATES};

/// What a model answers when no command fits.
pub const NONE: &str = "none";
/// What stands before a request in the message to the model. Models that the project trains know it.
pub const REQUEST: &str = "Command for: ";
