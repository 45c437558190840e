//! One request of session, from its first piece to its end.

use crate::guide::Guide;
use alloc::vec::Vec;
use inference_sampler::{Candidate, Parameters};
use ipc_pd::clock;
use ipc_protocol::List;
use ipc_protocol::session_compute::{Arithmetic, Cost, MAX_STOP_TOKENS, Sampling};

/// Gaps between tokens that are remembered for the 99th percentile.
const GAPS: usize = 1024;

/// A request.
pub struct Request {
    /// Session's number for it.
    pub id: u32,
    /// Prompt, then generated tokens.
    pub tokens: Vec<u32>,
    /// Prompt tokens that session announced.
    pub prompt: usize,
    /// Whether session said `Go`.
    pub started: bool,
    /// Most tokens to generate.
    pub limit: usize,
    /// Generated tokens that have been handed to session.
    pub sent: usize,
    /// Whether session cancelled.
    pub cancelled: bool,
    /// How to choose.
    pub parameters: Parameters,
    /// Session chooses the tokens.
    pub guide: Option<Guide>,
    /// Room for candidates.
    pub room: Vec<Candidate>,
    /// Progress last reported.
    pub reported: usize,
    stop: List<u32, MAX_STOP_TOKENS>,
    go_ticks: u64,
    first_ticks: u64,
    last_ticks: u64,
    gaps: Vec<u32>,
    cached: usize,
}

/// Why a request could not be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Sampling parameters out of range, or a prompt of no tokens.
    Bad,
    /// No memory for it.
    Memory,
}

impl Request {
    /// A request whose prompt is still to come. `context` bounds the prompt.
    ///
    /// # Errors
    /// See [`Setup`].
    pub fn begin(
        id: u32,
        prompt: usize,
        limit: u32,
        sampling: &Sampling,
        stop: List<u32, MAX_STOP_TOKENS>,
        [context, vocabulary]: [usize; 2],
    ) -> Result<Self, Setup> {
        let parameters = parameters(sampling);
        if prompt == 0 || parameters.validate().is_err() {
            return Err(Setup::Bad);
        }
        Ok(Self {
            id,
            tokens: reserve(context)?,
            prompt,
            started: false,
            limit: limit as usize,
            sent: 0,
            cancelled: false,
            room: filled(parameters.candidates(vocabulary))?,
            parameters,
            guide: None,
            reported: 0,
            stop,
            go_ticks: 0,
            first_ticks: 0,
            last_ticks: 0,
            gaps: reserve(GAPS)?,
            cached: 0,
        })
    }

    /// Adds prompt tokens; `false` when they are not the next ones or too many.
    pub fn add(&mut self, offset: usize, tokens: &[u32]) -> bool {
        let fits = !self.started && offset == self.tokens.len() && offset + tokens.len() <= self.prompt;
        if fits {
            self.tokens.extend_from_slice(tokens);
        }
        fits
    }

    /// The prompt is complete; `false` when it is not.
    pub fn go(&mut self) -> bool {
        self.started = !self.started && self.tokens.len() == self.prompt;
        self.go_ticks = clock::ticks();
        self.started
    }

    /// Tokens generated so far.
    pub fn generated(&self) -> usize {
        self.tokens.len() - self.prompt
    }

    /// Whether this token ends the answer.
    pub fn is_stop(&self, token: u32) -> bool {
        self.stop.as_slice().contains(&token)
    }

    /// Notes that so many prompt tokens were in the cache; the first note counts.
    pub fn note_cached(&mut self, reused: usize) {
        if self.generated() == 0 && self.cached == 0 {
            self.cached = reused.min(self.prompt);
        }
    }

    /// Notes the time of a token that was just chosen.
    pub fn note_token(&mut self) {
        let now = clock::ticks();
        if self.first_ticks == 0 {
            self.first_ticks = now;
        } else if self.gaps.len() < GAPS {
            self.gaps.push(clock::to_micros(now.saturating_sub(self.last_ticks)) as u32);
        }
        self.last_ticks = now;
    }

    /// What it cost.
    pub fn cost(&mut self, weight_bytes_copied: u64, weight_bytes_read: u64, arithmetic: Arithmetic) -> Cost {
        let since_go = |ticks: u64| clock::to_micros(ticks.saturating_sub(self.go_ticks));
        let first_token_us = if self.first_ticks == 0 { 0 } else { since_go(self.first_ticks) };
        self.gaps.sort_unstable();
        let p99 = self.gaps.get((self.gaps.len() * 99 / 100).min(self.gaps.len().saturating_sub(1)));
        Cost {
            prompt: self.prompt as u32,
            cached: self.cached as u32,
            prompt_us: if self.first_ticks == 0 { since_go(clock::ticks()) } else { first_token_us },
            generated: self.generated() as u32,
            generate_us: clock::to_micros(self.last_ticks.saturating_sub(self.first_ticks)),
            first_token_us,
            p99_us: p99.copied().unwrap_or(0).into(),
            weight_bytes_copied,
            weight_bytes_read,
            arithmetic,
        }
    }
}

fn parameters(sampling: &Sampling) -> Parameters {
    Parameters {
        temperature: sampling.temperature,
        top_k: sampling.top_k,
        top_p: sampling.top_p,
        min_p: sampling.min_p,
        repeat_penalty: sampling.repeat_penalty,
        repeat_last_n: sampling.repeat_last_n,
        seed: sampling.seed,
    }
}

fn reserve<T>(count: usize) -> Result<Vec<T>, Setup> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| Setup::Memory)?;
    Ok(values)
}

fn filled<T: Clone + Default>(count: usize) -> Result<Vec<T>, Setup> {
    let mut values = reserve(count)?;
    values.resize(count, T::default());
    Ok(values)
}
