// SPDX-License-Identifier: MIT
//! What the leader commands and the followers obey.

use super::{Progress, Worker};
use crate::EvalError;
use crate::team::Command;

/// Operations of [`Command`].
const EVAL: u32 = 1;
const EVAL_LOGITS: u32 = 2;
const STOP: u32 = 3;
const ERASE: u32 = 4;

impl Worker<'_, '_> {
    /// Leader: computes `tokens` at positions from `position` on; with `logits`, those of the last token are in
    /// [`Worker::logits`]. `go_on` is asked after every layer; where it says no, the batch is abandoned.
    ///
    /// # Errors
    /// `BadToken`, `ContextFull`, `BatchTooLarge`, `Empty` before anything is computed; `Cancelled`, `WorkerLost`.
    pub fn eval(
        &mut self,
        tokens: &[u32],
        position: usize,
        logits: bool,
        go_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), EvalError> {
        self.check(tokens, position)?;
        let op = if logits { EVAL_LOGITS } else { EVAL };
        let command = Command { op, position: position as u32, count: tokens.len() as u32 };
        self.team.command(command, tokens)?;
        self.run(tokens, position, logits, go_on)
    }

    /// Leader: lets the followers return from [`Worker::follow`] with `false`.
    ///
    /// # Errors
    /// `WorkerLost`.
    pub fn stop(&mut self) -> Result<(), EvalError> {
        self.team.command(Command { op: STOP, position: 0, count: 0 }, &[])
    }

    /// Leader: overwrites the cache and all scratch memory of every worker with zeros.
    ///
    /// # Errors
    /// `WorkerLost`.
    pub fn erase(&mut self) -> Result<(), EvalError> {
        self.team.command(Command { op: ERASE, position: 0, count: 0 }, &[])?;
        self.erase_own();
        Ok(())
    }

    /// Follower: takes part in the leader's next step. `false`: the leader said to stop.
    ///
    /// # Errors
    /// `WorkerLost`; other errors are the leader's to report and are passed over.
    pub fn follow(&mut self) -> Result<bool, EvalError> {
        let mut tokens = core::mem::take(&mut self.tokens);
        let command = self.team.await_command(&mut tokens);
        let outcome = command.and_then(|command| self.obey(command, &tokens));
        self.tokens = tokens;
        outcome
    }

    fn obey(&mut self, command: Command, tokens: &[u32]) -> Result<bool, EvalError> {
        let (position, count) = (command.position as usize, command.count as usize);
        match command.op {
            STOP => return Ok(false),
            ERASE => self.erase_own(),
            _ => {
                let tokens = tokens.get(..count).ok_or(EvalError::WorkerLost)?;
                self.check(tokens, position)?;
                match self.run(tokens, position, command.op == EVAL_LOGITS, &mut |_| true) {
                    Err(EvalError::WorkerLost) => return Err(EvalError::WorkerLost),
                    _ => return Ok(true),
                }
            }
        }
        Ok(true)
    }

    fn erase_own(&mut self) {
        self.cache.erase();
        self.scratch.erase();
    }

    fn check(&self, tokens: &[u32], position: usize) -> Result<(), EvalError> {
        let vocab = self.model.hyper.vocab as u32;
        if tokens.is_empty() {
            return Err(EvalError::Empty);
        }
        if tokens.len() > self.config.batch {
            return Err(EvalError::BatchTooLarge { tokens: tokens.len(), batch: self.config.batch });
        }
        if let Some(token) = tokens.iter().copied().find(|token| *token >= vocab) {
            return Err(EvalError::BadToken { token, vocab });
        }
        let needed = position.saturating_add(tokens.len());
        if needed > self.config.context {
            return Err(EvalError::ContextFull { needed, context: self.config.context });
        }
        Ok(())
    }
}
