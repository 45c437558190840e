// SPDX-License-Identifier: MIT
//! Requests in English: the command that would do what the user asks.
//!
//! One design rule: a proposal is made of the user's own words and the table of commands, and nothing else. Neither the
//! conversation nor a passage is in its prompt, the answer is held to the grammar of commands token by token, and what
//! comes out is shown, never run, by session.
//!
//! Without a command that fits, or when no candidate will do, the proposal is `none`.

use crate::request::{Generation, Kind};
use crate::session::{Session, pieces};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use inference_commands::{NONE, REQUEST, grammar};
use inference_sampler::Grammar;
use inference_template::{Message, Role};
use ipc_protocol::console_session::{StopReason, ToConsole};
use ipc_protocol::session_compute::{Cost, Stop};

/// Most bytes of a request.
pub const LONGEST_REQUEST: usize = 1024;
/// Most tokens of a command.
const LONGEST_COMMAND: u32 = 160;

impl Session {
    /// Begins to look for the command that does what `request` says.
    pub(crate) fn ask(&mut self, request: &str) {
        let request = request.trim();
        if request.is_empty() || request.len() > LONGEST_REQUEST {
            return self.refuse(&format!("say what you want in 1 to {LONGEST_REQUEST} bytes after the ?"));
        }
        if let Some(why) = self.why_no_model() {
            return self.refuse(&why);
        }
        match Grammar::parse(&grammar(request)) {
            Ok(grammar) => self.grammar = Some(grammar),
            Err(error) => return self.refuse(&format!("the grammar of commands: {error}")),
        }
        match self.request_prompt(request) {
            Ok(prompt) => {
                let generation = Generation::guided(prompt, LONGEST_COMMAND);
                self.asked = request.to_string();
                self.generate(Kind::Ask, generation);
            }
            Err(why) => self.refuse(&why),
        }
    }

    /// The tokens of a request, alone in its conversation.
    fn request_prompt(&self, request: &str) -> Result<Vec<u32>, String> {
        let language = self.model.language.as_ref().ok_or("no model is loaded")?;
        let text = format!("{REQUEST}{request}");
        let prompt = language.prompt(&[Message { role: Role::User, text: &text }])?;
        let context = self.context();
        if prompt.len() as u64 + u64::from(LONGEST_COMMAND) > u64::from(context) {
            let tokens = prompt.len();
            return Err(format!(
                "the request makes {tokens} tokens; with {LONGEST_COMMAND} for the command it does not fit the context of {context}"
            ));
        }
        Ok(prompt)
    }

    /// Tells the console what came out.
    pub(crate) fn finish_ask(&mut self, stop: StopReason, _cost: Cost) {
        let Some(generation) = self.generation.take() else { return self.end(false) };
        let cancelled = self.request.is_some_and(|request| request.cancelled);
        if cancelled {
            return self.refuse("stopped; nothing is proposed");
        }
        let complete = stop == StopReason::Compute(Stop::EndOfGeneration);
        let command = if complete { generation.text.trim().to_string() } else { NONE.to_string() };
        let asked = core::mem::take(&mut self.asked);
        self.remember_command(&format!("? {asked}: proposed {command}"));
        self.proposed(&asked, &command);
        let id = self.id();
        for (piece, last) in pieces(&command) {
            self.console.push(ToConsole::Proposal { id, piece, last });
        }
        self.end(true);
    }
}
