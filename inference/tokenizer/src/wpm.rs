// SPDX-License-Identifier: MIT
//! WordPiece: text is stripped of case and accents, cut into words, and each word written with the longest tokens
//! that fit, from its start.
//!
//! Normalisation is BERT's own (full canonical decomposition, only non-spacing marks dropped, words of more than 100
//! characters unknown), which is what the models were trained with; llama.cpp takes shortcuts there that differ for
//! Hangul, spacing marks and very long words.

use alloc::vec::Vec;

use unicode_normalization::char::decompose_canonical;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::error::EncodeError;
use crate::error::TokenizerError;
use crate::metadata::Metadata;
use crate::spm::{SPACE, push};
use crate::vocabulary::Vocabulary;

/// Longer words are unknown.
const LONGEST_WORD: usize = 100;

/// How text is normalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normaliser {
    lowercase: bool,
    strip_accents: bool,
}

impl Normaliser {
    /// Uncased unless the file says otherwise.
    ///
    /// # Errors
    /// A key that holds no boolean.
    pub fn read(metadata: &Metadata<'_, '_>) -> Result<Self, TokenizerError> {
        let lowercase = metadata.flag("tokenizer.ggml.normalizer.lowercase")?.unwrap_or(true);
        let strip_accents = metadata.flag("tokenizer.ggml.normalizer.strip_accents")?.unwrap_or(lowercase);
        Ok(Self { lowercase, strip_accents })
    }
}

/// Appends the tokens of `text`.
///
/// # Errors
/// No memory.
pub(crate) fn encode(
    vocabulary: &Vocabulary<'_>,
    normaliser: Normaliser,
    unknown: u32,
    text: &str,
    out: &mut Vec<u32>,
) -> Result<(), EncodeError> {
    let mut words = Words { vocabulary, normaliser, unknown, word: Vec::new(), characters: 0, out };
    text.chars().try_for_each(|c| words.add(c))?;
    words.end_word()
}

/// Collects the characters of a word.
struct Words<'t, 'a> {
    vocabulary: &'t Vocabulary<'a>,
    normaliser: Normaliser,
    unknown: u32,
    /// U+2581 and the word so far, no more than can be looked up.
    word: Vec<u8>,
    characters: usize,
    out: &'t mut Vec<u32>,
}

impl Words<'_, '_> {
    /// Takes a character of the text.
    fn add(&mut self, c: char) -> Result<(), EncodeError> {
        if c.is_ascii() || !self.normaliser.strip_accents {
            return self.add_decomposed(c);
        }
        let mut result = Ok(());
        decompose_canonical(c, |part| {
            if result.is_ok() && part.general_category() != GeneralCategory::NonspacingMark {
                result = self.add_decomposed(part);
            }
        });
        result
    }

    fn add_decomposed(&mut self, c: char) -> Result<(), EncodeError> {
        if c.is_whitespace() {
            return self.end_word();
        }
        if is_dropped(c) {
            return Ok(());
        }
        let alone = stands_alone(c);
        if alone {
            self.end_word()?;
        }
        if self.normaliser.lowercase {
            c.to_lowercase().try_for_each(|c| self.push(c))?;
        } else {
            self.push(c)?;
        }
        if alone { self.end_word() } else { Ok(()) }
    }

    fn push(&mut self, c: char) -> Result<(), EncodeError> {
        if self.characters == 0 {
            self.word.try_reserve(SPACE.len() + 4 * LONGEST_WORD)?;
            self.word.extend_from_slice(SPACE);
        }
        self.characters += 1;
        if self.characters <= LONGEST_WORD {
            self.word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }

    /// Writes the word, if there is one.
    fn end_word(&mut self) -> Result<(), EncodeError> {
        if self.characters > 0 {
            let before = self.out.len();
            if self.characters > LONGEST_WORD || !self.write_pieces()? {
                self.out.truncate(before);
                push(self.out, self.unknown)?;
            }
        }
        self.word.clear();
        self.characters = 0;
        Ok(())
    }

    /// Appends the longest tokens from the start on; false where none fits.
    fn write_pieces(&mut self) -> Result<bool, EncodeError> {
        let mut rest = &self.word[..];
        while !rest.is_empty() {
            let longest = rest.len().min(self.vocabulary.longest());
            let found =
                (1..=longest).rev().find_map(|end| Some((end, self.vocabulary.find_text(&rest[..end])?)));
            let Some((end, token)) = found else { return Ok(false) };
            push(self.out, token)?;
            rest = &rest[end..];
        }
        Ok(true)
    }
}

/// Controls and characters that mean nothing.
fn is_dropped(c: char) -> bool {
    let control = c.general_category_group() == GeneralCategoryGroup::Other;
    c == '\0' || c == '\u{fffd}' || (control && c.general_category() != GeneralCategory::Unassigned)
}

/// Punctuation, ASCII symbols and ideographs are words of their own.
fn stands_alone(c: char) -> bool {
    c.is_ascii_punctuation()
        || is_ideograph(c)
        || (!c.is_ascii() && c.general_category_group() == GeneralCategoryGroup::Punctuation)
}

/// The CJK blocks that BERT lists.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x4e00..=0x9fff
        | 0x3400..=0x4dbf
        | 0x20000..=0x2a6df
        | 0x2a700..=0x2b73f
        | 0x2b740..=0x2b81f
        | 0x2b920..=0x2ceaf
        | 0xf900..=0xfaff
        | 0x2f800..=0x2fa1f)
}
