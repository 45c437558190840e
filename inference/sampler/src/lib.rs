// SPDX-License-Identifier: MIT
//! Choosing the next token from the model's logits.
//!
//! The one rule: **a choice depends on nothing but its arguments**. Randomness is a function of (seed, position), and
//! the arithmetic is the same on every machine, so a run can be repeated, and an answer that a restart interrupted
//! goes on as it would have.
//!
//! Steps and defaults are llama.cpp's (`common/common.h`): repetition penalty, top-k, top-p, min-p, temperature, then
//! a draw. Temperature 0 takes the best token after the penalty. Nothing is allocated while sampling: the caller
//! lends the room for candidates.
//!
//! Limits: no typical-p, XTC, DRY or mirostat.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod chain;
mod grammar;
mod parameters;
mod random;
mod select;

pub use chain::{SampleError, sample};
pub use grammar::{Grammar, GrammarError, MatchError, Matcher, Problem};
pub use parameters::{ParameterError, Parameters};
pub use random::uniform;
pub use select::{Candidate, top};
