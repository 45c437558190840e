// SPDX-License-Identifier: MIT
//! Why a row was not quantised.

use core::fmt;

use inference_gguf::GgmlType;

/// Each variant says what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QuantizeError {
    /// Blocks do not divide the row: choose a type with smaller blocks.
    Indivisible { kind: GgmlType, len: usize },
    /// The output has another length than the row needs: a mistake of the caller.
    WrongLength { expected: u64, found: usize },
    /// The type cannot hold this element: repair the model, or keep the tensor as it is.
    BadElement { kind: GgmlType, index: usize, value: f32 },
}

impl fmt::Display for QuantizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Indivisible { kind, len } => write!(
                f,
                "{} has blocks of {} elements, which do not divide a row of {len}: choose a type with smaller blocks",
                kind.name(),
                kind.block_len()
            ),
            Self::WrongLength { expected, found } => {
                write!(f, "a buffer of {found} bytes for a row of {expected}")
            }
            Self::BadElement { kind, index, value } => write!(
                f,
                "element {index} is {value}, which {} cannot hold: the model is damaged, or keep this tensor as it is",
                kind.name()
            ),
        }
    }
}

impl core::error::Error for QuantizeError {}
