// SPDX-License-Identifier: MIT
//! What the tokenizer reads of a model file: the `tokenizer.*` keys, checked for type and length, still in place.

use inference_gguf::{Array, Gguf, GgufError, ValueType};

use crate::error::{Name, TokenizerError};
use crate::strings::RawStrings;

const TOKENS: &str = "tokenizer.ggml.tokens";
const SCORES: &str = "tokenizer.ggml.scores";
const TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";

/// The algorithm that `tokenizer.ggml.model` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// `llama`: SentencePiece's byte-pair merges by score, with byte fallback.
    Spm,
    /// `gpt2`: byte-level merges by rank; `gemma4`: the same over characters.
    Bpe,
    /// `bert`: WordPiece.
    Wpm,
}

impl Model {
    fn read(name: &str) -> Result<Self, TokenizerError> {
        match name {
            "llama" => Ok(Self::Spm),
            "gpt2" | "gemma4" => Ok(Self::Bpe),
            "bert" => Ok(Self::Wpm),
            other => Err(TokenizerError::UnknownModel(Name::new(other))),
        }
    }
}

/// One 32-bit number per token, as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PerToken<'a>(&'a [u8]);

impl PerToken<'_> {
    fn bits(&self, id: u32) -> Option<u32> {
        let at = (id as usize).checked_mul(4)?;
        Some(u32::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    pub fn i32(&self, id: u32) -> Option<i32> {
        self.bits(id).map(|bits| bits as i32)
    }

    pub fn f32(&self, id: u32) -> Option<f32> {
        self.bits(id).map(f32::from_bits)
    }
}

/// The tokenizer's part of the metadata.
#[derive(Debug)]
pub(crate) struct Metadata<'g, 'a> {
    gguf: &'g Gguf<'a>,
    pub model: Model,
    /// `tokenizer.ggml.pre`.
    pub pre: Option<&'a str>,
    /// `general.name`, empty where absent.
    pub name: &'a str,
    pub tokens: RawStrings<'a>,
    pub scores: Option<PerToken<'a>>,
    pub types: Option<PerToken<'a>>,
}

impl<'g, 'a> Metadata<'g, 'a> {
    /// # Errors
    /// A key is missing, of another type, or an array is too short.
    pub fn read(gguf: &'g Gguf<'a>) -> Result<Self, TokenizerError> {
        const MODEL: &str = "tokenizer.ggml.model";
        let name = gguf.require(MODEL, gguf.str(MODEL))?;
        let model = Model::read(name)?;
        let tokens = strings(gguf, TOKENS)?.ok_or_else(|| missing(TOKENS))?;
        let count = tokens.checked_count()?;
        Ok(Self {
            gguf,
            model,
            pre: if name == "gemma4" { Some(name) } else { gguf.str("tokenizer.ggml.pre")? },
            name: gguf.str("general.name").ok().flatten().unwrap_or(""),
            tokens,
            scores: per_token(gguf, SCORES, ValueType::F32, count)?,
            types: per_token(gguf, TYPES, ValueType::I32, count)?,
        })
    }

    /// The merges, which a byte-pair vocabulary must have.
    ///
    /// # Errors
    /// They are missing or no strings.
    pub fn merges(&self) -> Result<RawStrings<'a>, TokenizerError> {
        strings(self.gguf, MERGES)?.ok_or_else(|| missing(MERGES))
    }

    /// The token id that `key` names.
    ///
    /// # Errors
    /// It is not below `tokens`.
    pub fn token(&self, key: &'static str, tokens: u32) -> Result<Option<u32>, TokenizerError> {
        match self.gguf.u32(key)? {
            Some(id) if id >= tokens => Err(TokenizerError::TokenOutOfRange { key, id, tokens }),
            found => Ok(found),
        }
    }

    /// # Errors
    /// The key holds no boolean.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, TokenizerError> {
        Ok(self.gguf.bool(key)?)
    }
}

fn missing(key: &str) -> TokenizerError {
    TokenizerError::Metadata(GgufError::MissingKey { key: key.into() })
}

fn array<'a>(
    gguf: &Gguf<'a>,
    key: &'static str,
    kind: ValueType,
) -> Result<Option<Array<'a>>, TokenizerError> {
    match gguf.array(key)? {
        Some(array) if array.kind() != kind => Err(TokenizerError::WrongElements(key)),
        found => Ok(found),
    }
}

fn strings<'a>(gguf: &Gguf<'a>, key: &'static str) -> Result<Option<RawStrings<'a>>, TokenizerError> {
    let array = array(gguf, key, ValueType::String)?;
    Ok(array.map(|array| RawStrings { key, bytes: array.raw(), count: array.len() as u64 }))
}

fn per_token<'a>(
    gguf: &Gguf<'a>,
    key: &'static str,
    kind: ValueType,
    expected: usize,
) -> Result<Option<PerToken<'a>>, TokenizerError> {
    match array(gguf, key, kind)? {
        Some(array) if array.len() < expected => {
            Err(TokenizerError::TooFewElements { key, expected, found: array.len() })
        }
        found => Ok(found.map(|array| PerToken(array.raw()))),
    }
}
