// SPDX-License-Identifier: MIT
//! A passage with questions, whatever it was made from.

use crate::made::one;
use crate::slots::Slots;
use crate::source::Split;
use anyhow::Result;

/// Which wordings are held out in what is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// New names and values.
    pub values: Split,
    /// How facts are stated.
    pub statements: Split,
    /// How is asked.
    pub questions: Split,
}

/// Question, answering sentence (`None`: the passage does not say), and the value in it.
pub type Asked = (String, Option<String>, String);

/// A passage with questions and the sentences that answer them.
#[derive(Clone, Debug)]
pub struct Reading {
    pub passage: String,
    pub questions: Vec<Asked>,
}

/// A source for a passage: path and heading.
///
/// # Errors
/// When the lists are missing.
pub fn place(split: Split, slots: &Slots, rng: &mut fastrand::Rng) -> Result<(String, String)> {
    Ok((slots.listed("docname", split, rng)?, slots.listed("heading", split, rng)?))
}

/// A score as retrieval gives it.
pub fn score(rng: &mut fastrand::Rng) -> f32 {
    f32::from(rng.u16(25..98)) / 100.0
}

/// Something to say to an answer before the next question, or nothing.
pub fn link(rng: &mut fastrand::Rng) -> &'static str {
    one(&["", "", "", "", "", "Thanks. ", "Ok. "], rng)
}
