// SPDX-License-Identifier: MIT
//! Why a model cannot be used, or a step not be computed.

use alloc::string::String;
use core::fmt;

use inference_gguf::GgufError;

/// Why a file is not a model that this engine runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// The file itself is wrong.
    File(GgufError),
    /// The architecture is not one of ours: the message lists those that are.
    UnsupportedArchitecture { name: String },
    /// A hyperparameter is 0, too large, or contradicts another.
    BadValue { key: String, value: u64 },
    /// A tensor's shape is not what the hyperparameters say.
    WrongShape { tensor: String, expected: [u64; 2], found: [u64; 2] },
    /// The tensor must be F32 (norms and biases).
    NotF32 { tensor: String },
    /// A feature of the model that is not implemented.
    Unsupported { what: &'static str },
    /// There is no memory for the directory of layers.
    OutOfMemory,
    /// The configuration asks for more than the model or the addresses allow.
    BadConfig { what: &'static str },
    /// An adapter is damaged or made for another model.
    BadAdapter { what: String },
    /// A buffer that the caller handed in is smaller than [`crate::Model::needs`] says.
    SmallBuffer { what: &'static str, needed: usize, given: usize },
}

impl From<GgufError> for ModelError {
    fn from(error: GgufError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "{error}"),
            Self::UnsupportedArchitecture { name } => {
                write!(f, "architecture `{name}` is not supported; these are: {}", crate::family::NAMES)
            }
            Self::BadValue { key, value } => {
                write!(
                    f,
                    "key `{key}` is {value}, which cannot be: the file is damaged or of an unknown kind"
                )
            }
            Self::WrongShape { tensor, expected, found } => write!(
                f,
                "tensor `{tensor}` is {} x {}, the metadata says {} x {}: the file is damaged or of an unknown kind",
                found[0], found[1], expected[0], expected[1]
            ),
            Self::NotF32 { tensor } => write!(f, "tensor `{tensor}` must be F32: convert the model anew"),
            Self::Unsupported { what } => write!(f, "{what} is not supported: use another model"),
            Self::OutOfMemory => write!(f, "no memory for the model's directory of layers"),
            Self::BadConfig { what } => write!(f, "{what}"),
            Self::BadAdapter { what } => write!(f, "the adapter cannot be used: {what}"),
            Self::SmallBuffer { what, needed, given } => {
                write!(f, "{what} has {given} bytes but {needed} are needed: a shorter context needs less")
            }
        }
    }
}

impl core::error::Error for ModelError {}

/// Why a step was not computed. The cache stays valid for the tokens it says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// The token id is not in the vocabulary.
    BadToken { token: u32, vocab: u32 },
    /// The context has no room for the tokens: drop some.
    ContextFull { needed: usize, context: usize },
    /// More tokens at once than the configuration's batch.
    BatchTooLarge { tokens: usize, batch: usize },
    /// No token was given.
    Empty,
    /// The caller's callback asked to stop.
    Cancelled,
    /// A worker did not arrive: [`crate::Pace::pause`] gave up.
    WorkerLost,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadToken { token, vocab } => write!(f, "token {token} is not in the vocabulary of {vocab}"),
            Self::ContextFull { needed, context } => {
                write!(f, "{needed} tokens do not fit into the context of {context}: shorten the prompt")
            }
            Self::BatchTooLarge { tokens, batch } => write!(f, "{tokens} tokens in a batch of {batch}"),
            Self::Empty => write!(f, "no tokens to compute"),
            Self::Cancelled => write!(f, "cancelled"),
            Self::WorkerLost => write!(f, "a compute worker did not answer"),
        }
    }
}

impl core::error::Error for EvalError {}
