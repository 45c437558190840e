// SPDX-License-Identifier: MIT
//! What compute says.

use crate::request::Kind;
use crate::session::{SILENCE, Session};
use alloc::format;
use ipc_protocol::console_session::{Level, ToConsole, Work};
use ipc_protocol::session_compute::{ModelFacts, Refusal, ToCompute, ToSession};

impl Session {
    /// Follows the link and takes what there is, while the console takes what comes of it.
    pub(crate) fn hear_compute(&mut self) -> bool {
        if let Some(restarted) = self.compute.poll() {
            self.compute_started(restarted);
        }
        let mut moved = false;
        while !self.console.is_backed_up() {
            match self.compute.receive() {
                Ok(Some(message)) => self.computed(message),
                Ok(None) => break,
                Err(_) => {
                    if self.generation.is_some() {
                        self.fail(
                            "compute sent something that is no message; its answer is not trusted further",
                        );
                    }
                    break;
                }
            }
            moved = true;
        }
        moved
    }

    fn compute_started(&mut self, restarted: bool) {
        self.model.facts = None;
        self.compute_forgot();
        if restarted {
            self.compute_lost();
        }
        if self.erasing {
            self.compute.push(ToCompute::Erase);
        }
    }

    fn computed(&mut self, message: ToSession) {
        match message {
            ToSession::Model(facts) => self.facts(facts),
            ToSession::Progress { id, done, total } => self.prompt_progress(id, done, total),
            ToSession::Token { id, sequence, token } => self.token(id, sequence, token),
            ToSession::Candidates { id, sequence, skipped, tokens } => {
                self.candidates(id, sequence, skipped, tokens.as_slice());
            }
            ToSession::Done { id, stop, cost } => self.done(id, stop, cost),
            ToSession::Refused { id, why } => self.refused(id, why),
            ToSession::Erased => self.erased(),
            ToSession::Adapted { asked, version, why } => self.adapted(asked, version, &why),
        }
    }

    fn facts(&mut self, facts: Option<ModelFacts>) {
        self.model.facts = facts.filter(|facts| facts.context > 0);
        if self.model.facts.is_some() && !self.adapt_first() {
            self.compute_ready();
        }
        self.tell_model();
    }

    fn prompt_progress(&mut self, id: u32, done: u32, total: u32) {
        let Some(generation) = self.generation.as_ref().filter(|generation| generation.id == id) else {
            return;
        };
        if generation.attempts == 1 {
            let (id, what) = (self.id(), Work::Prompt);
            self.console.push(ToConsole::Progress { id, what, done: done.into(), total: total.into() });
        }
        self.patience.start(SILENCE);
    }

    fn refused(&mut self, id: u32, why: Refusal) {
        if self.generation.as_ref().is_none_or(|generation| generation.id != id) {
            return;
        }
        match why {
            Refusal::NoModel => self.fail("compute has no model; /load loads one"),
            Refusal::PromptTooLong { most } => {
                self.fail(&format!(
                    "the prompt is too long for compute, which takes {most} tokens: shorten the message"
                ));
            }
            Refusal::BadRequest => self.fail("compute did not understand the request; /regen tries again"),
            Refusal::NotFinite => {
                self.fail("the model's numbers became infinite: its file is damaged, or was made wrongly. /load loads another one");
            }
        }
    }

    fn erased(&mut self) {
        self.erasing = false;
        if self.is(Kind::Clear) {
            self.say(
                Level::Plain,
                "the conversation is forgotten and its memory erased; the system prompt stays",
            );
            self.end(true);
        }
        ipc_pd::scrub_stack();
    }
}
