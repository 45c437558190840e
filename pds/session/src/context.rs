// SPDX-License-Identifier: MIT
//! What fits the context: prompts, warnings, and which messages have to go.

use crate::session::Session;
use alloc::format;
use alloc::vec::Vec;
use ipc_protocol::console_session::{Level, StopReason};
use ipc_protocol::session_compute::Stop;

/// Tokens kept free for an answer, where the context is large enough.
const ANSWER: u32 = 128;

impl Session {
    /// Tokens of context in use: what the model and the cache hold, or less if the user wants less.
    pub(crate) fn context(&self) -> u32 {
        let there = self.model.facts.map_or(0, |facts| facts.context);
        self.settings.context.map_or(there, |wanted| wanted.min(there))
    }

    /// The prompt for the last message. Drops the oldest messages where it must, and says so; `None` when there is
    /// none, after a message that says why.
    pub(crate) fn compose(&mut self) -> Option<Vec<u32>> {
        let context = self.context();
        let reserve = self.settings.predict.unwrap_or(ANSWER).min(ANSWER).min(context / 4);
        let mut dropped = 0;
        let prompt = loop {
            let language = self.model.language.as_ref()?;
            let turns = language.has_turns();
            let prompt = match language.prompt(&self.conversation.messages(turns)) {
                Ok(prompt) => prompt,
                Err(why) => {
                    self.say(Level::Error, &why);
                    return None;
                }
            };
            let fits = prompt.len() as u64 + u64::from(reserve) <= u64::from(context);
            if fits || !turns || !self.conversation.drop_oldest() {
                break prompt;
            }
            dropped += 1;
        };
        self.announce_drop(dropped, prompt.len(), context);
        self.check_length(&prompt, context).then_some(prompt)
    }

    fn announce_drop(&mut self, dropped: u32, used: usize, context: u32) {
        if dropped > 0 {
            self.warned = false;
            let kept = if self.conversation.system.is_empty() { "" } else { "; the system prompt is kept" };
            self.say(
                Level::Warning,
                &format!("the context is full: the {dropped} oldest message(s) were dropped, {used} of {context} tokens are used now{kept}"),
            );
        }
    }

    fn check_length(&mut self, prompt: &[u32], context: u32) -> bool {
        if prompt.is_empty() {
            self.say(Level::Error, "the message makes no tokens: there is nothing to answer");
            return false;
        }
        let fits = (prompt.len() as u64) < u64::from(context);
        if !fits {
            let with = if self.conversation.system.is_empty() { "" } else { " with the system prompt" };
            self.say(
                Level::Error,
                &format!("the message is too long: it makes {} tokens{with}, the context holds {context} and the answer needs some of them. Nothing was sent; shorten it", prompt.len()),
            );
        }
        fits
    }

    /// Says that the context fills up, once, and that an answer was cut by its end.
    pub(crate) fn warn_when_full(&mut self, used: u32, context: u32, stop: StopReason) {
        let turns = self.model.language.as_ref().is_some_and(|language| language.has_turns());
        let limit = self.settings.predict;
        if stop == StopReason::Compute(Stop::ContextFull) || (used >= context && limit.is_none()) {
            self.say(
                Level::Warning,
                &format!("the context is full ({used} of {context} tokens): the answer was cut off"),
            );
        } else if turns && !self.warned && u64::from(used) * 5 >= u64::from(context) * 4 {
            self.warned = true;
            let percent = u64::from(used) * 100 / u64::from(context.max(1));
            self.say(
                Level::Warning,
                &format!("{percent} % of the context is used ({used} of {context} tokens): soon the oldest messages will be dropped; /clear begins anew"),
            );
        }
    }
}
