// SPDX-License-Identifier: MIT
//! The leader's side: a cache that knows which tokens it holds, prompts in chunks, prefix reuse.

use alloc::vec::Vec;

use crate::{EvalError, ModelError, Progress, Worker};

/// A leader and the tokens its team's cache holds.
pub struct Engine<'m, 'b> {
    worker: Worker<'m, 'b>,
    held: Vec<u32>,
}

/// How far a prompt is: `done` of `total` tokens, of which `reused` were in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub done: usize,
    pub total: usize,
    pub reused: usize,
}

impl<'m, 'b> Engine<'m, 'b> {
    /// An engine whose cache holds nothing. `worker` is the leader.
    ///
    /// # Errors
    /// `OutOfMemory`, and `BadConfig` where `worker` is not the leader of its team.
    pub fn new(worker: Worker<'m, 'b>) -> Result<Self, ModelError> {
        let mut held = Vec::new();
        held.try_reserve_exact(worker.config().context).map_err(|_| ModelError::OutOfMemory)?;
        Ok(Self { worker, held })
    }

    /// The tokens in the cache, from position 0 on.
    #[must_use]
    pub fn held(&self) -> &[u32] {
        &self.held
    }

    #[must_use]
    pub fn worker(&mut self) -> &mut Worker<'m, 'b> {
        &mut self.worker
    }

    /// Makes the cache hold exactly `tokens` and computes the logits of the last one: see [`Engine::logits`].
    /// Tokens that the cache holds already, from the start on, are not computed again (the last one always is).
    /// `go_on` is asked after every layer; where it says no, the cache holds the chunks that were finished.
    ///
    /// # Errors
    /// As [`Worker::eval`].
    pub fn advance(&mut self, tokens: &[u32], go_on: &mut dyn FnMut(Step) -> bool) -> Result<(), EvalError> {
        self.check(tokens)?;
        let same = self.held.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        let reused = same.min(tokens.len() - 1);
        self.held.truncate(reused);
        let batch = self.worker.config().batch;
        for chunk in tokens[reused..].chunks(batch) {
            let position = self.held.len();
            let last = position + chunk.len() == tokens.len();
            let total = tokens.len();
            let mut ask = |p: Progress| {
                let within = p.tokens * p.layer / p.layers.max(1);
                go_on(Step { done: p.position + within, total, reused })
            };
            self.worker.eval(chunk, position, last, &mut ask)?;
            self.held.extend_from_slice(chunk);
        }
        Ok(())
    }

    fn check(&self, tokens: &[u32]) -> Result<(), EvalError> {
        let (context, vocab) = (self.worker.config().context, self.worker.model().hyper.vocab as u32);
        match tokens.iter().copied().find(|token| *token >= vocab) {
            _ if tokens.is_empty() => Err(EvalError::Empty),
            _ if tokens.len() > context => Err(EvalError::ContextFull { needed: tokens.len(), context }),
            Some(token) => Err(EvalError::BadToken { token, vocab }),
            None => Ok(()),
        }
    }

    /// Adds one token behind those held and computes its logits.
    ///
    /// # Errors
    /// As [`Worker::eval`].
    pub fn push(&mut self, token: u32) -> Result<(), EvalError> {
        self.worker.eval(&[token], self.held.len(), true, &mut |_| true)?;
        self.held.push(token);
        Ok(())
    }

    /// Logits of the last token, (vocabulary). The caller may change them.
    #[must_use]
    pub fn logits(&mut self) -> &mut [f32] {
        self.worker.logits()
    }

    /// Forgets everything, and overwrites it.
    ///
    /// # Errors
    /// `WorkerLost`.
    pub fn clear(&mut self) -> Result<(), EvalError> {
        self.held.fill(0);
        self.held.clear();
        self.worker.erase()
    }

    /// Lets the followers go.
    ///
    /// # Errors
    /// `WorkerLost`.
    pub fn stop(&mut self) -> Result<(), EvalError> {
        self.worker.stop()
    }
}
