// SPDX-License-Identifier: MIT
//! An answer: from a message to a request for compute, and from tokens to text.
//!
//! One design rule: what was generated is kept. When compute restarts, the request is sent again with the tokens so
//! far; because tokens are chosen by seed and position, the answer goes on as if nothing had happened.

use crate::request::{Generation, Kind, Request, Stage};
use crate::session::{SILENCE, Session, pieces};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ipc_pd::clock;
use ipc_protocol::console_session::{Level, StopReason, ToConsole};
use ipc_protocol::session_compute::{Cost, Stop, ToCompute};

/// Attempts of one answer before it is given up.
const MOST_ATTEMPTS: u32 = 4;

impl Session {
    /// Answers a message.
    pub(crate) fn answer(&mut self, message: String) {
        if let Some(why) = self.why_no_model() {
            return self.refuse(&why);
        }
        if let Some(message) = self.ask_for_passages(message) {
            self.say_and_answer((message, None));
        }
    }

    /// Answers a message, which is put to the model as `whole` where that is more.
    pub(crate) fn say_and_answer(&mut self, (message, whole): (String, Option<String>)) {
        let forgotten = self.conversation.say_as(message, whole);
        if forgotten > 0 {
            self.say(
                Level::Warning,
                &format!("the conversation is very long: its {forgotten} oldest message(s) were dropped"),
            );
        }
        self.answer_last();
    }

    /// Answers the last message again.
    pub(crate) fn regenerate(&mut self, id: u32) {
        if !self.accept(id, Kind::Answer) {
            return;
        }
        match self.why_no_model() {
            Some(why) => self.refuse(&why),
            None if self.conversation.reopen() => self.answer_last(),
            None => self.refuse("there is no message to answer again"),
        }
    }

    fn answer_last(&mut self) {
        let Some(prompt) = self.compose() else {
            self.conversation.take_back();
            return self.end(false);
        };
        let room = self.context().saturating_sub(prompt.len() as u32);
        let limit = self.settings.predict.unwrap_or(u32::MAX).min(room);
        if self.library.quotations.is_some() {
            return self.generate(Kind::Answer, Generation::guided(prompt, limit));
        }
        // A clock that counts microseconds since start is hard to guess and differs each time.
        let sampling = self.settings.sampling(clock::ticks().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let stop = self.model.language.as_ref().map(|language| language.stop_tokens()).unwrap_or_default();
        self.generate(Kind::Answer, Generation::new(prompt, limit, sampling, stop));
    }

    /// Gives a request to compute.
    pub(crate) fn generate(&mut self, kind: Kind, mut generation: Generation) {
        let id = self.next_id();
        if self.model.facts.is_some() && !self.is_adapting() {
            generation.attempt(id);
        }
        if let Some(request) = self.request.as_mut() {
            request.kind = kind;
        }
        self.generation = Some(generation);
        self.patience.start(SILENCE);
    }

    /// Sends compute the next parts of a request; whether something was sent.
    pub(crate) fn feed_compute(&mut self) -> bool {
        let mut moved = false;
        while let Some((message, after)) = self.generation.as_ref().and_then(Generation::next) {
            if !self.compute.send_now(&message) {
                break;
            }
            moved = true;
            if let Some(generation) = self.generation.as_mut() {
                generation.stage = after;
            }
        }
        moved
    }

    /// A token came.
    pub(crate) fn token(&mut self, id: u32, sequence: u32, token: u32) {
        let (Some(generation), Some(language)) = (self.generation.as_mut(), self.model.language.as_ref())
        else {
            return;
        };
        if generation.id != id || generation.ended.is_some() {
            return;
        }
        if !generation.expects(sequence) || token >= language.tokenizer.len() {
            return self.fail("compute sent a token that cannot be: its answer is not trusted further");
        }
        self.patience.start(SILENCE);
        let ends = language.stops(token);
        if ends && self.is(Kind::Answer) {
            return self.end_generation(StopReason::Compute(Stop::EndOfGeneration));
        }
        self.push_token(token);
    }

    /// One more token of what is generated; of an answer, what can be shown of it is.
    pub(crate) fn push_token(&mut self, token: u32) {
        let (Some(generation), Some(language)) = (self.generation.as_mut(), self.model.language.as_ref())
        else {
            return;
        };
        generation.push(&language.tokenizer, token);
        if language.spaces_replies() {
            generation.drop_first_space();
        }
        if self.is(Kind::Answer) {
            self.show_text(false);
        }
    }

    /// Ends an answer from this side; compute is told, and the rest waits for its confirmation.
    pub(crate) fn end_generation(&mut self, reason: StopReason) {
        let Some(generation) = self.generation.as_mut() else { return };
        generation.ended = Some(reason);
        let id = generation.id;
        self.compute.push(ToCompute::Cancel { id });
    }

    /// Shows what can be shown of the answer.
    fn show_text(&mut self, all: bool) {
        let Some(request) = self.request else { return };
        let Some(generation) = self.generation.as_mut() else { return };
        let before = generation.ended;
        let fresh = generation.show(&self.settings.stops, all);
        for (piece, _) in pieces(fresh).filter(|(piece, _)| !piece.as_slice().is_empty()) {
            self.console.push(ToConsole::Answer { id: request.id, piece });
        }
        if let (None, Some(reason), false) = (before, generation.ended, all) {
            self.end_generation(reason);
        }
    }

    /// Ctrl-C.
    pub(crate) fn cancel_generation(&mut self) {
        let Some(generation) = self.generation.as_mut() else { return };
        match generation.stage {
            Stage::Waiting | Stage::Begin => {
                self.finish(StopReason::Compute(Stop::Cancelled), Cost::default())
            }
            _ => {
                let id = generation.id;
                self.compute.push(ToCompute::Cancel { id });
            }
        }
    }

    /// Compute is done.
    pub(crate) fn done(&mut self, id: u32, stop: Stop, cost: Cost) {
        let Some(generation) = self.generation.as_ref().filter(|generation| generation.id == id) else {
            return;
        };
        let reason = generation.ended.unwrap_or(StopReason::Compute(stop));
        self.finish(reason, cost);
    }

    /// Ends an answer, or a measurement, and tells the user how.
    pub(crate) fn finish(&mut self, mut stop: StopReason, cost: Cost) {
        if self.is(Kind::Benchmark) {
            return self.finish_benchmark(cost);
        }
        if self.is(Kind::Ask) {
            return self.finish_ask(stop, cost);
        }
        if let Some(generation) = self.generation.as_mut() {
            generation.finish();
        }
        self.show_text(true);
        let Some(generation) = self.generation.take() else { return };
        if let Some(StopReason::StopString) = generation.ended {
            stop = StopReason::StopString;
        }
        let (used, context) = (generation.tokens.len() as u32, self.context());
        self.conversation.answer(generation.text);
        self.warn_when_full(used, context, stop);
        self.remember_turn();
        self.answered_turn();
        self.say_retrieval_figures();
        self.patience.stop();
        if let Some(request) = self.request.take() {
            self.console.push(ToConsole::Answered { id: request.id, stop, cost, used, context });
        }
    }

    /// Ends an answer that went wrong: what there is of it stays, a message without any answer is forgotten.
    pub(crate) fn fail(&mut self, why: &str) {
        self.say(Level::Error, why);
        let Some(generation) = self.generation.as_ref() else { return self.end(false) };
        let id = generation.id;
        if generation.stage == Stage::Running {
            self.compute.push(ToCompute::Cancel { id });
        }
        if !self.is(Kind::Answer) || generation.text.is_empty() {
            self.generation = None;
            if self.is(Kind::Answer) {
                self.conversation.take_back();
            }
            return self.end(false);
        }
        self.finish(StopReason::Failed, Cost::default());
    }

    /// Compute restarted while it answered: the answer goes on as soon as compute has its model again.
    pub(crate) fn compute_lost(&mut self) {
        let Some(generation) = self.generation.as_mut() else { return };
        let Some(request) = self.request else { return };
        generation.stage = Stage::Waiting;
        if request.cancelled || generation.ended.is_some() || generation.is_complete() {
            let stop = if request.cancelled { Stop::Cancelled } else { Stop::Limit };
            let reason = generation.ended.unwrap_or(StopReason::Compute(stop));
            return self.finish(reason, Cost::default());
        }
        if generation.attempts >= MOST_ATTEMPTS {
            return self.fail("compute failed again and again: the answer is given up. /status shows the servers, /load loads the model anew");
        }
        let kept = generation.generated();
        self.say(
            Level::Warning,
            &format!("compute restarted: the conversation is kept, the answer goes on after {kept} token(s)"),
        );
        self.patience.start(SILENCE);
    }

    /// Compute has its model again.
    pub(crate) fn compute_ready(&mut self) {
        let id = self.next_id();
        if let Some(generation) = self.generation.as_mut().filter(|g| g.stage == Stage::Waiting) {
            generation.attempt(id);
        }
    }

    /// Nothing came from compute for long.
    pub(crate) fn compute_is_silent(&mut self, request: Request) {
        let waiting = self.generation.as_ref().is_none_or(|generation| generation.stage == Stage::Waiting);
        if request.cancelled {
            self.fail("compute has not confirmed that it stopped; /status shows the servers");
        } else if waiting {
            self.fail("compute is not there; /status shows the servers, /restart compute starts it anew");
        } else {
            self.say(
                Level::Warning,
                &format!("compute has been silent for {SILENCE} s; Ctrl-C stops waiting"),
            );
            self.patience.start(SILENCE);
        }
    }

    /// A prompt of `tokens` tokens for a measurement.
    pub(crate) fn repeated(tokens: &[u32], count: usize) -> Vec<u32> {
        let (first, rest) = tokens.split_at(tokens.len().min(1));
        first.iter().chain(rest.iter().cycle().take(count.saturating_sub(1))).copied().collect()
    }
}
