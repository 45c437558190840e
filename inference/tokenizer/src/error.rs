// SPDX-License-Identifier: MIT
//! What can be wrong with a vocabulary, and with a text that is to be encoded.

use core::fmt;

use inference_gguf::GgufError;

/// A name copied out of a file for a message: at most 48 bytes, unprintable ones replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; 48],
    len: u8,
}

impl Name {
    /// Keeps the first 48 bytes of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut name = Self { bytes: [0; 48], len: 0 };
        for (slot, byte) in name.bytes.iter_mut().zip(text.bytes()) {
            *slot = if byte.is_ascii_graphic() || byte == b' ' { byte } else { b'?' };
            name.len += 1;
        }
        name
    }

    /// The text that was kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or("?")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a vocabulary was refused. The file is at fault except for [`TokenizerError::OutOfMemory`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenizerError {
    /// A key that the tokenizer needs is not in the file, or holds another type: convert the model again, with its
    /// tokenizer.
    Metadata(GgufError),
    /// The elements of an array have another type than they should.
    WrongElements(&'static str),
    /// `tokenizer.ggml.model` names an algorithm that is not built in.
    UnknownModel(Name),
    /// `tokenizer.ggml.pre` names a pre-tokenizer that is not built in. Guessing would give other tokens
    /// than the model was trained with, so it is refused.
    UnknownPreTokenizer(Name),
    /// An array must have one element per token and has fewer.
    TooFewElements { key: &'static str, expected: usize, found: usize },
    /// An array of strings ends before its last element.
    Truncated(&'static str),
    /// More tokens or merges than 32-bit ids and offsets can name.
    TooLarge(&'static str),
    /// Two tokens have the same text.
    DuplicateToken { first: u32, second: u32 },
    /// A token's text is not UTF-8.
    TokenNotUtf8 { id: u32 },
    /// A token's text is longer than 65,536 bytes; no real one is.
    TokenTooLong { id: u32 },
    /// The score of a token is not a number, so merges have no order.
    ScoreNotANumber { id: u32 },
    /// A special token's id is not below the number of tokens.
    TokenOutOfRange { key: &'static str, id: u32, tokens: u32 },
    /// The file asks for a special token to be added but does not name it.
    NoSuchSpecialToken(&'static str),
    /// A merge is not of the form `left right`.
    MalformedMerge { merge: u32 },
    /// A merge names a text that is no token.
    MergeOfUnknownToken { merge: u32 },
    /// The texts were chosen to collide in the lookup table.
    CollidingTokens,
    /// The heap is too small for this vocabulary's tables.
    OutOfMemory,
}

impl fmt::Display for TokenizerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(error) => write!(f, "{error}"),
            Self::WrongElements(key) => {
                write!(f, "the elements of {key} have another type than they should: convert the model again")
            }
            Self::UnknownModel(name) => write!(
                f,
                "tokenizer.ggml.model '{name}' is not supported: use a model with tokenizer llama, gpt2 or bert"
            ),
            Self::UnknownPreTokenizer(name) => write!(
                f,
                "tokenizer.ggml.pre '{name}' is not a known pre-tokenizer: another one would give wrong tokens"
            ),
            Self::TooFewElements { key, expected, found } => {
                write!(f, "{key} has {found} elements, but there are {expected} tokens")
            }
            Self::Truncated(key) => write!(f, "{key} ends before its last string"),
            Self::TooLarge(key) => write!(f, "{key} is larger than any supported vocabulary"),
            Self::DuplicateToken { first, second } => {
                write!(f, "tokenizer.ggml.tokens: tokens {first} and {second} have the same text")
            }
            Self::TokenNotUtf8 { id } => write!(f, "tokenizer.ggml.tokens: token {id} is not UTF-8"),
            Self::TokenTooLong { id } => {
                write!(f, "tokenizer.ggml.tokens: token {id} is longer than 65536 bytes")
            }
            Self::ScoreNotANumber { id } => {
                write!(f, "tokenizer.ggml.scores: the score of token {id} is not a number")
            }
            Self::TokenOutOfRange { key, id, tokens } => {
                write!(f, "{key} is {id}, but there are only {tokens} tokens")
            }
            Self::NoSuchSpecialToken(key) => {
                write!(f, "{key} is true, but the file does not name that token")
            }
            Self::MalformedMerge { merge } => {
                write!(f, "tokenizer.ggml.merges: merge {merge} is not two texts with a space between")
            }
            Self::MergeOfUnknownToken { merge } => {
                write!(f, "tokenizer.ggml.merges: merge {merge} names a text that is not a token")
            }
            Self::CollidingTokens => {
                write!(
                    f,
                    "tokenizer.ggml.tokens: too many texts collide: the file was made to slow the reader down"
                )
            }
            Self::OutOfMemory => {
                write!(f, "not enough memory for the vocabulary: give the session a larger heap")
            }
        }
    }
}

impl core::error::Error for TokenizerError {}

/// Why a text could not be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The heap is too small for the work on this text: send a shorter one.
    OutOfMemory,
    /// The text is longer than 2^30 bytes: send a shorter one.
    TextTooLong,
    /// The vocabulary has neither a token for this byte nor one for unknown text.
    NoTokenForByte(u8),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => write!(f, "not enough memory to encode this text: send a shorter one"),
            Self::TextTooLong => write!(f, "the text is longer than 1 GiB: send a shorter one"),
            Self::NoTokenForByte(byte) => write!(f, "this vocabulary has no token for byte {byte:#04x}"),
        }
    }
}

impl core::error::Error for EncodeError {}

impl From<GgufError> for TokenizerError {
    fn from(error: GgufError) -> Self {
        Self::Metadata(error)
    }
}

impl From<alloc::collections::TryReserveError> for TokenizerError {
    fn from(_: alloc::collections::TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

impl From<alloc::collections::TryReserveError> for EncodeError {
    fn from(_: alloc::collections::TryReserveError) -> Self {
        Self::OutOfMemory
    }
}
