// SPDX-License-Identifier: MIT
//! What the user has asked for, and an answer on its way.

use crate::stops::{Shown, Stops};
use alloc::string::String;
use alloc::vec::Vec;
use inference_tokenizer::{Decoder, Tokenizer};
use ipc_protocol::List;
use ipc_protocol::console_session::StopReason;
use ipc_protocol::session_compute::{MAX_STOP_TOKENS, Sampling, TOKENS_PER_MESSAGE, ToCompute};

/// What the user has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message is arriving.
    Message,
    /// A system prompt is arriving.
    System,
    /// Passages for an answer.
    Retrieve,
    /// Something about documents, notes, facts or episodes.
    Library,
    /// Something about learning.
    Learn,
    /// An answer.
    Answer,
    /// A request in English is arriving.
    Asking,
    /// A command is looked for.
    Ask,
    /// A measurement.
    Benchmark,
    /// The list of models.
    Models,
    /// Another model.
    Load,
    /// No model.
    Unload,
    /// To forget.
    Clear,
}

/// A request of the console's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The console's id for it.
    pub id: u32,
    /// What.
    pub kind: Kind,
    /// The user does not want it any more.
    pub cancelled: bool,
}

/// How far an answer is on its way to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Compute has no model (yet, or it restarted).
    Waiting,
    /// Say what is wanted.
    Begin,
    /// Send the tokens from this one on.
    Tokens(usize),
    /// Say that session chooses the tokens.
    Guide,
    /// Start.
    Go,
    /// Compute works.
    Running,
}

/// An answer on its way.
#[derive(Debug)]
pub struct Generation {
    /// Id of this attempt at compute.
    pub id: u32,
    /// How far this attempt is.
    pub stage: Stage,
    /// The prompt, then what was generated.
    pub tokens: Vec<u32>,
    /// Tokens of the prompt.
    pub prompt: usize,
    /// Tokens that this attempt gave to compute.
    base: usize,
    /// Most tokens to generate.
    limit: u32,
    sampling: Sampling,
    /// Session chooses the tokens.
    guided: bool,
    stop: List<u32, MAX_STOP_TOKENS>,
    /// Attempts so far.
    pub attempts: u32,
    /// Set when session has ended the answer itself and only waits for compute to notice.
    pub ended: Option<StopReason>,
    decoder: Decoder,
    /// The answer so far.
    pub text: String,
    shown: usize,
}

impl Generation {
    /// An answer to `prompt` of at most `limit` tokens, ended by compute at the tokens `stop`.
    pub fn new(prompt: Vec<u32>, limit: u32, sampling: Sampling, stop: List<u32, MAX_STOP_TOKENS>) -> Self {
        Self {
            id: 0,
            stage: Stage::Waiting,
            prompt: prompt.len(),
            base: prompt.len(),
            tokens: prompt,
            limit,
            sampling,
            guided: false,
            stop,
            attempts: 0,
            ended: None,
            decoder: Decoder::new(),
            text: String::new(),
            shown: 0,
        }
    }

    /// An answer whose tokens session chooses from the best ones, and ends.
    pub fn guided(prompt: Vec<u32>, limit: u32) -> Self {
        let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
        Self { guided: true, ..Self::new(prompt, limit, greedy, List::default()) }
    }

    /// The bytes of what was generated.
    pub fn bytes(&self, tokenizer: &Tokenizer<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let made = self.tokens.get(self.prompt..).unwrap_or_default();
        made.iter().for_each(|token| tokenizer.append_piece(*token, false, &mut bytes));
        bytes
    }

    /// Tokens generated.
    pub fn generated(&self) -> u32 {
        (self.tokens.len() - self.prompt) as u32
    }

    /// Whether nothing is left to generate.
    pub fn is_complete(&self) -> bool {
        self.generated() >= self.limit
    }

    /// Begins an attempt with all tokens there are: compute goes on where the last attempt ended.
    pub fn attempt(&mut self, id: u32) {
        (self.id, self.stage, self.base) = (id, Stage::Begin, self.tokens.len());
        self.attempts += 1;
    }

    /// The next message to compute, and the stage after it was sent.
    pub fn next(&self) -> Option<(ToCompute, Stage)> {
        let id = self.id;
        match self.stage {
            Stage::Waiting | Stage::Running => None,
            Stage::Begin => {
                let (prompt, limit) = (self.base as u32, self.limit - self.generated());
                let (sampling, stop) = (self.sampling, self.stop.clone());
                Some((ToCompute::Begin { id, prompt, limit, sampling, stop }, Stage::Tokens(0)))
            }
            Stage::Tokens(offset) => {
                let end = (offset + TOKENS_PER_MESSAGE).min(self.base);
                let tokens = List::new(&self.tokens[offset..end]);
                let after = match self.guided {
                    _ if end < self.base => Stage::Tokens(end),
                    true => Stage::Guide,
                    false => Stage::Go,
                };
                Some((ToCompute::Tokens { id, offset: offset as u32, tokens }, after))
            }
            Stage::Guide => Some((ToCompute::Guide { id }, Stage::Go)),
            Stage::Go => Some((ToCompute::Go { id }, Stage::Running)),
        }
    }

    /// Whether `sequence` is the number of the next token of this attempt.
    pub fn expects(&self, sequence: u32) -> bool {
        self.stage == Stage::Running && sequence as usize == self.tokens.len() - self.base
    }

    /// Takes a generated token.
    pub fn push(&mut self, tokenizer: &Tokenizer<'_>, token: u32) {
        self.tokens.push(token);
        self.decoder.push(tokenizer, token, &mut self.text);
    }

    /// Drops the space that the template has before an answer, once the first token is there.
    pub fn drop_first_space(&mut self) {
        if self.generated() == 1 && self.shown == 0 && self.text.starts_with(' ') {
            self.text.remove(0);
        }
    }

    /// No more tokens follow: what is incomplete becomes visible.
    pub fn finish(&mut self) {
        if self.ended != Some(StopReason::StopString) {
            self.decoder.finish(&mut self.text);
        }
    }

    /// What can be shown now; a stop string ends the answer. With `all`, nothing is held back.
    pub fn show(&mut self, stops: &Stops, all: bool) -> &str {
        let from = self.shown;
        self.shown = match stops.check(&self.text, from) {
            Shown::StopsAt(end) => {
                self.text.truncate(end);
                self.ended = Some(StopReason::StopString);
                end
            }
            Shown::UpTo(_) if all => self.text.len(),
            Shown::UpTo(end) => end,
        };
        &self.text[from..self.shown]
    }
}
