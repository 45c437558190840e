// SPDX-License-Identifier: MIT
//! Text to token ids and back, as the model in a GGUF file was trained with.
//!
//! The one rule: **the ids are llama.cpp's, or the file is refused by name**. A model that sees other tokens than in
//! training answers fluently and wrongly, so nothing is guessed: an unknown algorithm or pre-tokenizer is an error.
//!
//! - SentencePiece (`llama`), byte-level BPE (`gpt2`) and WordPiece (`bert`).
//! - Special tokens are made from text only when the caller asks for it (`parse_special`), which is never for text
//!   that a user typed.
//! - The vocabulary stays in the file; the heap holds some ten bytes per token. All sizes are checked before anything
//!   is reserved, and a full heap is an error.
//!
//! Limits: texts up to 1 GiB; no unigram (`t5`) or RWKV vocabularies.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod alphabet;
mod bpe;
mod decode;
mod error;
mod finder;
mod index;
mod merges;
mod metadata;
mod pre;
mod special;
mod spm;
mod strings;
mod symbols;
mod tokenizer;
mod vocabulary;
mod wpm;

pub use decode::Decoder;
pub use error::{EncodeError, Name, TokenizerError};
pub use metadata::Model;
pub use special::SpecialTokens;
pub use tokenizer::Tokenizer;
pub use vocabulary::TokenKind;

#[cfg(test)]
mod tests;
