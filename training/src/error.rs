// SPDX-License-Identifier: MIT
//! What can go wrong in training.

use core::fmt;

/// Why training cannot begin or go on. Parameters are never changed by a step that fails.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    /// Sizes of a model that contradict each other: change the one named.
    BadShape { what: &'static str },
    /// The base is no model that can be trained here.
    Unsupported { what: &'static str },
    /// A token that the vocabulary does not have: the documents belong to another vocabulary.
    BadToken { token: u32, vocab: usize },
    /// A document longer than the context: cut it.
    LongDocument { tokens: usize, context: usize },
    /// A batch in which no token counts: nothing can be learnt from it.
    Empty,
    /// The loss or a gradient is no number any more: lower the learning rate, go back to a checkpoint.
    NotFinite { what: &'static str },
    /// Memory is full: use a smaller batch, context or model.
    OutOfMemory { elements: usize },
    /// A vector has another length than the layout: it belongs to another model.
    WrongLength { what: &'static str, expected: usize, found: usize },
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadShape { what } => write!(f, "the model's shape is not usable: {what}"),
            Self::Unsupported { what } => write!(f, "this base cannot be trained: {what}"),
            Self::BadToken { token, vocab } => {
                write!(f, "token {token} does not exist in a vocabulary of {vocab}: is it the model's own?")
            }
            Self::LongDocument { tokens, context } => {
                write!(f, "a document of {tokens} tokens does not fit into a context of {context}: cut it")
            }
            Self::Empty => f.write_str("no token of the batch counts for the loss: add texts or answers"),
            Self::NotFinite { what } => {
                write!(
                    f,
                    "{what} is not a number any more: lower the learning rate, resume from a checkpoint"
                )
            }
            Self::OutOfMemory { elements } => {
                write!(f, "no memory for {elements} numbers: use a smaller batch, context or model")
            }
            Self::WrongLength { what, expected, found } => {
                write!(f, "{what} has {found} numbers instead of {expected}: it belongs to another model")
            }
        }
    }
}

impl core::error::Error for TrainError {}
