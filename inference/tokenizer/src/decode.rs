// SPDX-License-Identifier: MIT
//! From tokens to text, one token at a time: a character that several tokens spell is held until it is whole.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::Utf8Error;

use crate::Tokenizer;

/// Turns token ids into whole UTF-8.
///
/// Bytes that can no longer become a character are shown as U+FFFD, an unfinished character is held back until the
/// next token or [`Decoder::finish`].
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// Bytes that are not yet a character: at most three between calls.
    pending: Vec<u8>,
    /// Whether the next piece is the first of a text and loses the space that encoding put before it.
    at_start: bool,
    /// Whether control and unknown tokens are shown by name.
    show_special: bool,
}

impl Decoder {
    /// For text that continues something: what a model generates after a prompt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a whole encoded text: the space that encoding put at its start (`add_space_prefix`) is dropped again.
    #[must_use]
    pub fn from_start() -> Self {
        Self { at_start: true, ..Self::default() }
    }

    /// Shows control tokens by name, for inspection only: shown text must not be encoded again with special tokens.
    #[must_use]
    pub fn with_special(mut self) -> Self {
        self.show_special = true;
        self
    }

    /// Appends to `out` what is now complete.
    pub fn push(&mut self, tokenizer: &Tokenizer<'_>, token: u32, out: &mut String) {
        let before = self.pending.len();
        tokenizer.append_piece(token, self.show_special, &mut self.pending);
        if self.pending.len() == before {
            return;
        }
        if self.at_start && tokenizer.adds_space_prefix() && self.pending.first() == Some(&b' ') {
            self.pending.remove(0);
        }
        self.at_start = false;
        let held = drain(&self.pending, out);
        self.pending.drain(..self.pending.len() - held);
    }

    /// Ends the text: what is still incomplete becomes U+FFFD.
    pub fn finish(&mut self, out: &mut String) {
        if !self.pending.is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
            self.pending.clear();
        }
    }
}

/// Appends the whole characters of `bytes`, U+FFFD for bytes that are none, and returns how many bytes at the end
/// may still become a character.
fn drain(mut bytes: &[u8], out: &mut String) -> usize {
    loop {
        match core::str::from_utf8(bytes) {
            Ok(text) => {
                out.push_str(text);
                return 0;
            }
            Err(error) => {
                out.push_str(core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""));
                bytes = &bytes[error.valid_up_to()..];
                let Some(bad) = Utf8Error::error_len(&error) else { return bytes.len() };
                out.push(char::REPLACEMENT_CHARACTER);
                bytes = &bytes[bad..];
            }
        }
    }
}
