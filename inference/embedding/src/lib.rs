// SPDX-License-Identifier: MIT
//! Sentence embeddings: a text's tokens through an encoder (BERT), the mean of the last layer, length one.
//!
//! One design rule: it computes what the model's reference computes: the same token ids, the same place of the cut (a text
//! beyond the limit keeps its first tokens and the separator), the same pooling. Limits: mean pooling; one text at a time.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use inference_gguf::Gguf;
use inference_kernels::{Kernels, ops};
use inference_model::{CacheKind, Config, EvalError, Model, ModelError, Needs, Team, Worker};
use inference_tokenizer::{EncodeError, Tokenizer, TokenizerError};

/// Tokens that MiniLM reads, where the file does not say.
const USUAL_LIMIT: u32 = 256;
/// Metadata key of that limit.
const MAX_TOKENS_KEY: &str = "cloister.embedding.max_tokens";

/// Why there is no embedding.
#[derive(Debug)]
pub enum EmbeddingError {
    /// The file's model cannot be used; the message says why.
    Model(ModelError),
    /// The file's vocabulary cannot be used; the message says why.
    Tokenizer(TokenizerError),
    /// The model is no encoder: give one of architecture bert.
    NotAnEncoder,
    /// The text could not be turned into tokens: no memory.
    Encode(EncodeError),
    /// The computation was refused or abandoned.
    Eval(EvalError),
    /// The buffer for the result has another length than the model's width.
    WrongLength { expected: usize, found: usize },
}

impl fmt::Display for EmbeddingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Tokenizer(error) => error.fmt(f),
            Self::NotAnEncoder => {
                f.write_str("this model makes no embeddings: give one of architecture bert")
            }
            Self::Encode(error) => error.fmt(f),
            Self::Eval(error) => error.fmt(f),
            Self::WrongLength { expected, found } => write!(f, "a buffer of {found} values for {expected}"),
        }
    }
}

impl core::error::Error for EmbeddingError {}

/// What is read from the file: it must outlive the [`Encoder`].
#[derive(Debug)]
pub struct EncoderModel<'a> {
    model: Model<'a>,
    tokenizer: Tokenizer<'a>,
    max_tokens: usize,
    label: String,
}

impl<'a> EncoderModel<'a> {
    /// Binds a file's model and vocabulary.
    ///
    /// # Errors
    /// [`EmbeddingError::Model`], [`EmbeddingError::Tokenizer`], [`EmbeddingError::NotAnEncoder`].
    pub fn bind(gguf: &Gguf<'a>) -> Result<Self, EmbeddingError> {
        let model = Model::bind(gguf).map_err(EmbeddingError::Model)?;
        if model.encoder.is_none() {
            return Err(EmbeddingError::NotAnEncoder);
        }
        let tokenizer = Tokenizer::from_gguf(gguf).map_err(EmbeddingError::Tokenizer)?;
        let stated = gguf.u32(MAX_TOKENS_KEY).ok().flatten().unwrap_or(USUAL_LIMIT);
        let max_tokens = (stated as usize).clamp(3, model.hyper.context.max(3));
        let name = gguf.str("general.name").ok().flatten().unwrap_or("unnamed encoder");
        let label =
            format!("{} {}", name.chars().take(60).collect::<String>(), model.embedding.kind().name());
        Ok(Self { model, tokenizer, max_tokens, label })
    }

    /// The model's name and the type of its matrices.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Values per embedding.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.model.hyper.embedding
    }

    /// Tokens that are read of a text.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn config(&self) -> Config {
        Config { context: self.max_tokens, batch: self.max_tokens, workers: 1, cache: CacheKind::F32 }
    }

    /// Memory that an [`Encoder`] works in: bytes of `cache`, elements of `scratch`.
    ///
    /// # Errors
    /// [`EmbeddingError::Model`].
    pub fn needs(&self) -> Result<Needs, EmbeddingError> {
        self.model.needs(&self.config(), 0).map_err(EmbeddingError::Model)
    }

    /// The tokens of a text, with the model's begin and end, cut to the limit.
    ///
    /// # Errors
    /// [`EmbeddingError::Encode`].
    pub fn tokens(&self, text: &str, out: &mut Vec<u32>) -> Result<(), EmbeddingError> {
        out.clear();
        self.tokenizer.encode(text, true, false, out).map_err(EmbeddingError::Encode)?;
        if out.len() > self.max_tokens {
            let end = out.last().copied();
            out.truncate(self.max_tokens - 1);
            out.extend(end);
        }
        Ok(())
    }
}

/// Makes embeddings.
pub struct Encoder<'m, 'b> {
    model: &'m EncoderModel<'m>,
    worker: Worker<'m, 'b>,
    tokens: Vec<u32>,
}

impl<'m, 'b> Encoder<'m, 'b> {
    /// An encoder that works in the memory that [`EncoderModel::needs`] names.
    ///
    /// # Errors
    /// [`EmbeddingError::Model`]: the memory is too small.
    pub fn new(
        model: &'m EncoderModel<'m>,
        kernels: Kernels,
        cache: &'b mut [u8],
        scratch: &'b mut [f32],
    ) -> Result<Self, EmbeddingError> {
        let worker = Worker::new(&model.model, model.config(), kernels, Team::alone(), cache, scratch);
        Ok(Self { model, worker: worker.map_err(EmbeddingError::Model)?, tokens: Vec::new() })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &'m EncoderModel<'m> {
        self.model
    }

    /// Embeds a text into `out`, (dims), of length one; returns how many tokens were read.
    ///
    /// # Errors
    /// [`EmbeddingError::WrongLength`], [`EmbeddingError::Encode`], [`EmbeddingError::Eval`].
    pub fn embed(&mut self, text: &str, out: &mut [f32]) -> Result<usize, EmbeddingError> {
        self.embed_while(text, out, &mut || true)
    }

    /// As [`embed`](Self::embed); `go_on` is asked before each layer, and `false` abandons the text.
    ///
    /// # Errors
    /// As `embed`; abandoned, it is [`EvalError::Cancelled`].
    pub fn embed_while(
        &mut self,
        text: &str,
        out: &mut [f32],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<usize, EmbeddingError> {
        let dims = self.model.dims();
        if out.len() != dims {
            return Err(EmbeddingError::WrongLength { expected: dims, found: out.len() });
        }
        self.model.tokens(text, &mut self.tokens)?;
        self.worker.eval(&self.tokens, 0, false, &mut |_| go_on()).map_err(EmbeddingError::Eval)?;
        out.fill(0.0);
        let tokens = self.tokens.len();
        for row in self.worker.hidden(tokens).chunks_exact(dims) {
            out.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        out.iter_mut().for_each(|value| *value /= tokens as f32);
        ops::l2_normalize(out);
        Ok(tokens)
    }
}
