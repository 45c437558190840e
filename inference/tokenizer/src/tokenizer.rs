// SPDX-License-Identifier: MIT
//! The tokenizer of one model.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use inference_gguf::Gguf;

use crate::bpe::{self, Bpe};
use crate::decode::Decoder;
use crate::error::{EncodeError, TokenizerError};
use crate::finder::{Fragment, SpecialFinder, Wanted};
use crate::metadata::{Metadata, Model};
use crate::pre::PreTokenizer;
use crate::special::{self, SpecialTokens, UNKNOWN};
use crate::spm::{self, ByteTokens};
use crate::vocabulary::{TokenKind, Vocabulary};
use crate::wpm::{self, Normaliser};

/// Longest text in bytes: positions are 32-bit, and escaping a space makes three bytes of one.
const LONGEST_TEXT: usize = 1 << 30;

/// Encodes and decodes text for one model.
#[derive(Debug)]
pub struct Tokenizer<'a> {
    vocabulary: Vocabulary<'a>,
    special: SpecialTokens,
    finder: SpecialFinder,
    /// Sorted.
    ends: Vec<u32>,
    algorithm: Algorithm,
}

/// What differs between the models.
#[derive(Debug)]
enum Algorithm {
    Spm { bytes: ByteTokens, space_prefix: bool },
    Bpe(Bpe),
    Wpm { normaliser: Normaliser, unknown: u32 },
}

impl<'a> Tokenizer<'a> {
    /// Reads the vocabulary of `gguf`, which it keeps referring to.
    ///
    /// # Errors
    /// [`TokenizerError`] names the key, token or merge that is wrong, or the algorithm that is not built in.
    pub fn from_gguf(gguf: &Gguf<'a>) -> Result<Self, TokenizerError> {
        let metadata = Metadata::read(gguf)?;
        let mut vocabulary = Vocabulary::new(&metadata)?;
        let pre = PreTokenizer::of(&metadata)?;
        let add_bos = pre.is_none_or(|pre| pre.add_bos());
        let special = SpecialTokens::read(&metadata, vocabulary.len(), add_bos)?;
        let ends = special::end_tokens(&metadata, &vocabulary, &special)?;
        vocabulary.force_control(ends.clone());
        let finder = SpecialFinder::new(&vocabulary, metadata.name)?;
        let algorithm = Algorithm::new(&metadata, &vocabulary, &special, pre)?;
        Ok(Self { vocabulary, special, finder, ends, algorithm })
    }

    /// The number of tokens.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.vocabulary.len()
    }

    /// Whether there are no tokens at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The algorithm.
    #[must_use]
    pub fn model(&self) -> Model {
        match self.algorithm {
            Algorithm::Spm { .. } => Model::Spm,
            Algorithm::Bpe(_) => Model::Bpe,
            Algorithm::Wpm { .. } => Model::Wpm,
        }
    }

    /// The tokens with a role.
    #[must_use]
    pub fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// Whether generation is over when the model makes `token`: any of the family's end tokens, not only `eos`.
    #[must_use]
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.binary_search(&token).is_ok()
    }

    /// All tokens that end generation, sorted.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// What `token` stands for; [`TokenKind::Normal`] for an id that does not exist.
    #[must_use]
    pub fn kind(&self, token: u32) -> TokenKind {
        self.vocabulary.kind(token)
    }

    /// The text of `token` as the file has it; empty for an id that does not exist.
    #[must_use]
    pub fn text(&self, token: u32) -> &'a str {
        core::str::from_utf8(self.vocabulary.text(token)).unwrap_or("")
    }

    /// The special (control, unknown or user-defined) token written `text`: how templates name theirs.
    #[must_use]
    pub fn special_token(&self, text: &str) -> Option<u32> {
        let id = self.vocabulary.find(text.as_bytes())?;
        let kind = self.vocabulary.kind(id);
        matches!(kind, TokenKind::Control | TokenKind::Unknown | TokenKind::UserDefined).then_some(id)
    }

    /// Whether encoding puts a space before a text.
    #[must_use]
    pub fn adds_space_prefix(&self) -> bool {
        match self.algorithm {
            Algorithm::Spm { space_prefix, .. } => space_prefix,
            Algorithm::Bpe(_) => false,
            Algorithm::Wpm { .. } => true,
        }
    }

    /// Appends the tokens of `text` to `out`. `add_special` puts the model's begin and end tokens around it;
    /// `parse_special` makes control tokens of their names in `text`, so it is for trusted text only.
    ///
    /// # Errors
    /// [`EncodeError`]; `out` may then hold a part of the tokens.
    pub fn encode(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
        out: &mut Vec<u32>,
    ) -> Result<(), EncodeError> {
        if text.len() > LONGEST_TEXT {
            return Err(EncodeError::TextTooLong);
        }
        if add_special {
            self.push_begin(out)?;
        }
        let wanted = if parse_special { Wanted::All } else { Wanted::UserDefinedBut(&[]) };
        self.encode_split(text, &wanted, out)?;
        if add_special { self.push_end(out) } else { Ok(()) }
    }

    /// Appends the tokens of `text`, which stands after the special token `after` or at the start, and in which no
    /// control token and none of `forbidden` is made from text: how templates encode what people wrote.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_after(
        &self,
        after: Option<u32>,
        text: &str,
        forbidden: &[u32],
        out: &mut Vec<u32>,
    ) -> Result<(), EncodeError> {
        if text.len() > LONGEST_TEXT {
            return Err(EncodeError::TextTooLong);
        }
        let text = after.map_or(text, |token| self.finder.strip_after(token, text));
        self.encode_split(text, &Wanted::UserDefinedBut(forbidden), out)
    }

    fn encode_split(&self, text: &str, wanted: &Wanted<'_>, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        let mut after_special = true;
        for fragment in self.finder.split(&self.vocabulary, text, wanted)? {
            match fragment {
                Fragment::Token(token) => spm::push(out, token)?,
                Fragment::Text(ref range) => {
                    self.encode_fragment(text, range.clone(), after_special, out)?;
                }
            }
            after_special = matches!(fragment, Fragment::Token(_));
        }
        Ok(())
    }

    /// Appends the tokens of ordinary text that follows a special token or not.
    fn encode_fragment(
        &self,
        text: &str,
        range: Range<usize>,
        after_special: bool,
        out: &mut Vec<u32>,
    ) -> Result<(), EncodeError> {
        // Special tokens are UTF-8, so what lies between them is cut at character boundaries.
        let text = text.get(range).unwrap_or("");
        match &self.algorithm {
            Algorithm::Spm { bytes, space_prefix } => {
                let escaped = spm::escape_spaces(text, *space_prefix && after_special)?;
                spm::encode(&self.vocabulary, bytes, escaped.as_bytes(), out)
            }
            Algorithm::Bpe(bpe) => bpe.encode(&self.vocabulary, text, out),
            Algorithm::Wpm { normaliser, unknown } => {
                wpm::encode(&self.vocabulary, *normaliser, *unknown, text, out)
            }
        }
    }

    /// Appends the token that begins a text, where the model has one.
    ///
    /// # Errors
    /// No memory.
    pub fn push_begin(&self, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        let begin = self.special.bos.filter(|_| self.special.add_bos || self.model() == Model::Wpm);
        begin.map_or(Ok(()), |token| spm::push(out, token))
    }

    fn push_end(&self, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        let end = match self.model() {
            Model::Wpm => self.special.sep,
            _ => self.special.eos.filter(|_| self.special.add_eos),
        };
        end.map_or(Ok(()), |token| spm::push(out, token))
    }

    /// Cuts `tokens`, a text encoded with special tokens, to at most `most`, keeping the token that ends it: what
    /// embedding models do with texts longer than they were trained for.
    pub fn truncate(&self, tokens: &mut Vec<u32>, most: usize) {
        let ends = self.model() == Model::Wpm || self.special.add_eos;
        let end = tokens.last().copied().filter(|_| ends && tokens.len() > most);
        tokens.truncate(most);
        if let (Some(end), Some(last)) = (end, tokens.last_mut()) {
            *last = end;
        }
    }

    /// Appends the bytes that `token` stands for: nothing for control and unknown tokens unless `special`, nothing
    /// for an id that does not exist.
    pub fn append_piece(&self, token: u32, special: bool, out: &mut Vec<u8>) {
        let text = self.vocabulary.text(token);
        match self.vocabulary.kind(token) {
            TokenKind::Control | TokenKind::Unknown if !special => {}
            TokenKind::Control | TokenKind::Unknown | TokenKind::UserDefined => out.extend_from_slice(text),
            TokenKind::Byte => out.extend(byte_of(text)),
            TokenKind::Unused => {}
            TokenKind::Normal => self.algorithm.append_text(text, out),
        }
    }

    /// The text of `tokens`, a whole encoded text: the inverse of [`Tokenizer::encode`].
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        let (mut decoder, mut text) = (Decoder::from_start(), String::new());
        tokens.iter().for_each(|token| decoder.push(self, *token, &mut text));
        decoder.finish(&mut text);
        text
    }
}

impl Algorithm {
    fn new(
        metadata: &Metadata<'_, '_>,
        vocabulary: &Vocabulary<'_>,
        special: &SpecialTokens,
        pre: Option<PreTokenizer>,
    ) -> Result<Self, TokenizerError> {
        match (pre, metadata.model) {
            (Some(pre), _) => Ok(Self::Bpe(Bpe::new(metadata, vocabulary, pre, special.unknown)?)),
            (None, Model::Wpm) => Ok(Self::Wpm {
                normaliser: Normaliser::read(metadata)?,
                unknown: special.unknown.ok_or(TokenizerError::NoSuchSpecialToken(UNKNOWN))?,
            }),
            (None, _) => Ok(Self::Spm {
                bytes: ByteTokens::new(vocabulary, special.unknown),
                space_prefix: metadata.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true),
            }),
        }
    }

    /// Appends the bytes that a normal token's text stands for.
    fn append_text(&self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Spm { .. } | Self::Wpm { .. } => spm::unescape_spaces(text, out),
            Self::Bpe(bpe) if bpe.pre.raw() => spm::unescape_spaces(text, out),
            Self::Bpe(_) => bpe::unspell(text, out),
        }
    }
}

/// The byte that `<0xNN>` names.
fn byte_of(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}
