//! Session and compute: token ids in, token ids out.
//!
//! A request is `Begin`, then `Tokens` pieces in order, then `Go`. Compute computes only what is not in its cache
//! yet, so a conversation, a repeated request and a request after a restart all send the whole prompt.
//! A guided request is one in which session chooses each token out of the best candidates: it knows what their texts
//! are, and compute does not. Answers carry the request's id; a `Done` or `Refused` ends it. Only one request is worked on at a time.

use crate::adapter::Place;
use crate::{List, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Token ids in one message.
pub const TOKENS_PER_MESSAGE: usize = 40;
/// Candidates in one message.
pub const CANDIDATES: usize = 40;
/// Candidates that session can look at for one token.
pub const MOST_CANDIDATES: usize = 64 * CANDIDATES;
/// Token ids at which compute stops by itself.
pub const MAX_STOP_TOKENS: usize = 16;

/// How the next token is chosen; names, order and defaults as in llama.cpp.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub struct Sampling {
    /// 0: greedy.
    pub temperature: f32,
    /// 0: off.
    pub top_k: u32,
    /// 1: off.
    pub top_p: f32,
    /// 0: off.
    pub min_p: f32,
    /// 1: off.
    pub repeat_penalty: f32,
    /// Tokens the penalty looks back.
    pub repeat_last_n: u32,
    /// Same seed, same tokens.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.8,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repeat_penalty: 1.0,
            repeat_last_n: 64,
            seed: 0,
        }
    }
}

/// From session to compute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum ToCompute {
    /// A request begins. Replaces one that was begun and not started.
    Begin {
        /// Chosen by session, increasing.
        id: u32,
        /// Prompt tokens that follow.
        prompt: u32,
        /// Most tokens to generate.
        limit: u32,
        /// How to choose them.
        sampling: Sampling,
        /// Tokens that end the answer.
        stop: List<u32, MAX_STOP_TOKENS>,
    },
    /// The next prompt tokens.
    Tokens {
        /// The request.
        id: u32,
        /// How many came before.
        offset: u32,
        /// The token ids.
        tokens: List<u32, TOKENS_PER_MESSAGE>,
    },
    /// Session chooses each token of this request itself, out of candidates: said before `Go`.
    Guide {
        /// The request.
        id: u32,
    },
    /// The token at `sequence` of a guided request.
    Choose {
        /// The request.
        id: u32,
        /// 0, 1, 2 … within the request.
        sequence: u32,
        /// One of the candidates.
        token: u32,
    },
    /// None of the candidates at `sequence` will do: the next ones are wanted, up to [`MOST_CANDIDATES`].
    More {
        /// The request.
        id: u32,
        /// 0, 1, 2 … within the request.
        sequence: u32,
    },
    /// The prompt is complete: start.
    Go {
        /// The request.
        id: u32,
    },
    /// Stop at the next step.
    Cancel {
        /// The request.
        id: u32,
    },
    /// Erase the cache and all activations.
    Erase,
    /// Use this adapter with the model, or none; the cache is emptied. `Adapted` answers.
    Adapt {
        /// In `retriever_adapter`.
        place: Option<Place>,
    },
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Stop {
    /// An end-of-generation token.
    EndOfGeneration,
    /// The request's limit.
    Limit,
    /// The context is full.
    ContextFull,
    /// Cancelled.
    Cancelled,
}

/// Why a request was not worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Refusal {
    /// No model is loaded.
    NoModel,
    /// The prompt does not fit the context.
    PromptTooLong {
        /// Largest prompt in tokens.
        most: u32,
    },
    /// Empty prompt, a token outside the vocabulary, pieces out of order or missing.
    BadRequest,
    /// The model's numbers became infinite or not a number.
    NotFinite,
}

/// The instructions that compute multiplies with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Arithmetic {
    /// What every processor of the instruction set has: SSE2 on x86-64.
    #[default]
    Generic,
    /// aarch64: NEON.
    Neon,
    /// aarch64: NEON with dot products.
    NeonDotprod,
    /// aarch64: NEON with products of 8-bit matrices.
    NeonI8mm,
    /// x86-64: AVX2.
    Avx2,
    /// x86-64: AVX-512 with VNNI.
    Avx512Vnni,
}

impl Arithmetic {
    const ALL: [Self; 6] =
        [Self::Generic, Self::Neon, Self::NeonDotprod, Self::NeonI8mm, Self::Avx2, Self::Avx512Vnni];

    /// The one that `name` names, as `inference_kernels::Kernels` names it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Neon => "neon",
            Self::NeonDotprod => "neon+dotprod",
            Self::NeonI8mm => "neon+i8mm",
            Self::Avx2 => "avx2",
            Self::Avx512Vnni => "avx512-vnni",
        }
    }
}

/// What a request cost. Times are in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Cost {
    /// Prompt tokens.
    pub prompt: u32,
    /// Of these, tokens that were in the cache already.
    pub cached: u32,
    /// Time for the others.
    pub prompt_us: u64,
    /// Generated tokens.
    pub generated: u32,
    /// Time from the first to the last of them.
    pub generate_us: u64,
    /// From `Go` to the first token.
    pub first_token_us: u64,
    /// 99th percentile of the time between tokens.
    pub p99_us: u64,
    /// Bytes of weights copied while working: 0, counted.
    pub weight_bytes_copied: u64,
    /// Bytes of weights read in place for each generated token.
    pub weight_bytes_read: u64,
    /// The instructions that did it.
    pub arithmetic: Arithmetic,
}

/// From compute to session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum ToSession {
    /// The model that compute now works with, or `None`. Also the first message after a start.
    Model(Option<ModelFacts>),
    /// Prompt tokens done so far.
    Progress {
        /// The request.
        id: u32,
        /// Tokens done.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// One generated token.
    Token {
        /// The request.
        id: u32,
        /// 0, 1, 2 … within the request.
        sequence: u32,
        /// The token.
        token: u32,
    },
    /// The tokens that may come next in a guided request, best first; compute waits for `Choose`, `More` or `Cancel`.
    Candidates {
        /// The request.
        id: u32,
        /// 0, 1, 2 … within the request.
        sequence: u32,
        /// Better candidates that were sent before.
        skipped: u32,
        /// The token ids; none when there are no more.
        tokens: List<u32, CANDIDATES>,
    },
    /// The request has ended.
    Done {
        /// The request.
        id: u32,
        /// Why.
        stop: Stop,
        /// What it cost.
        cost: Cost,
    },
    /// The request was not worked on.
    Refused {
        /// The request.
        id: u32,
        /// Why.
        why: Refusal,
    },
    /// Cache and activations hold zeros now.
    Erased,
    /// What `Adapt` led to: the version in use, 0 for none.
    Adapted {
        /// That was asked for.
        asked: u32,
        /// In use.
        version: u32,
        /// Why another one than asked for; empty otherwise.
        why: Piece,
    },
}

/// What compute made of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct ModelFacts {
    /// Which load this is; as in `session_supervisor`.
    pub generation: u32,
    /// Context in tokens: the model's, or what the cache region holds.
    pub context: u32,
    /// The model's own context.
    pub trained_context: u32,
    /// Vocabulary size.
    pub vocabulary: u32,
    /// Bytes of the cache in use for the full context.
    pub cache_bytes: u64,
    /// Workers, the leader included.
    pub workers: u32,
}
