// SPDX-License-Identifier: MIT
//! The tokens: their texts, kinds and scores, and how to find them.
//!
//! Rule: nothing that lies in the file is copied. Per token the heap holds four bytes for where its text lies and
//! six to twelve in the lookup table; scores and kinds are read where they are.

use alloc::vec::Vec;

use crate::error::TokenizerError;
use crate::index::TokenIndex;
use crate::metadata::{Metadata, PerToken};
use crate::strings::StringTable;

/// What a token stands for (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Ordinary text.
    Normal,
    /// Stands for text that the vocabulary cannot express.
    Unknown,
    /// Steers the model and is never shown: `<s>`, `<|im_end|>`.
    Control,
    /// Text that is kept whole before anything else is split.
    UserDefined,
    /// Never used in training.
    Unused,
    /// One byte of text, written `<0xNN>`.
    Byte,
}

impl TokenKind {
    fn from_number(number: i32) -> Self {
        match number {
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => Self::Normal,
        }
    }
}

/// All tokens of a model.
#[derive(Debug)]
pub(crate) struct Vocabulary<'a> {
    strings: StringTable<'a>,
    index: TokenIndex,
    scores: Option<PerToken<'a>>,
    kinds: Option<PerToken<'a>>,
    /// Tokens that end generation, whatever the file says about their kind: they are control tokens. Sorted.
    forced_control: Vec<u32>,
}

impl<'a> Vocabulary<'a> {
    /// # Errors
    /// Duplicate, colliding or non-UTF-8 texts; a score that is not a number; no memory.
    pub fn new(metadata: &Metadata<'_, 'a>) -> Result<Self, TokenizerError> {
        let strings = StringTable::new(metadata.tokens)?;
        let index = TokenIndex::new(&strings)?;
        let (scores, kinds) = (metadata.scores, metadata.types);
        let this = Self { strings, index, scores, kinds, forced_control: Vec::new() };
        match (0..this.len()).find(|id| this.score(*id).is_nan()) {
            Some(id) => Err(TokenizerError::ScoreNotANumber { id }),
            None => Ok(this),
        }
    }

    /// Declares `ids` (sorted) control tokens.
    pub fn force_control(&mut self, ids: Vec<u32>) {
        self.forced_control = ids;
    }

    /// The number of tokens.
    pub fn len(&self) -> u32 {
        self.strings.len() as u32
    }

    /// The text as the file has it; empty for an id that does not exist.
    pub fn text(&self, id: u32) -> &'a [u8] {
        self.strings.get(id)
    }

    /// Length of the longest text in bytes.
    pub fn longest(&self) -> usize {
        self.strings.longest()
    }

    /// The token with this text, of any kind.
    pub fn find(&self, text: &[u8]) -> Option<u32> {
        self.index.find(&self.strings, text)
    }

    /// The token that ordinary text may become: never one that steers the model or stands for a byte, whatever its
    /// name looks like.
    pub fn find_text(&self, text: &[u8]) -> Option<u32> {
        self.find_joined(text, &[])
    }

    /// As [`Vocabulary::find_text`], for the texts of two tokens in sequence.
    pub fn find_joined(&self, left: &[u8], right: &[u8]) -> Option<u32> {
        let id = self.index.find_joined(&self.strings, left, right)?;
        let text = matches!(self.kind(id), TokenKind::Normal | TokenKind::UserDefined | TokenKind::Unused);
        text.then_some(id)
    }

    pub fn score(&self, id: u32) -> f32 {
        self.scores.and_then(|scores| scores.f32(id)).unwrap_or(0.0)
    }

    pub fn kind(&self, id: u32) -> TokenKind {
        if self.forced_control.binary_search(&id).is_ok() {
            return TokenKind::Control;
        }
        self.kinds.and_then(|kinds| kinds.i32(id)).map_or(TokenKind::Normal, TokenKind::from_number)
    }
}
