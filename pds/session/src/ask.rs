// SPDX-License-Identifier: MIT
//! Requests in English: the command that would do what the user asks.
//!
//! One design rule: a proposal is made of the user's own words and the table of commands, and nothing else. Neither the
//! conversation nor a passage is in its prompt, the answer is held to the grammar of commands token by token, and what
//! comes out is shown, never run, by session.
//!
//! Compute offers candidates, best first; session takes the first whose text may come next. Without a command that
//! fits, or when no candidate will do, the proposal is `none`.

use crate::request::{Generation, Kind};
use crate::session::{Session, pieces};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use inference_commands::{NONE, REQUEST, grammar};
use inference_sampler::{Grammar, Matcher};
use inference_template::{Message, Role};
use ipc_protocol::console_session::{StopReason, ToConsole};
use ipc_protocol::session_compute::{Cost, Sampling, Stop, ToCompute};

/// Most bytes of a request.
pub const LONGEST_REQUEST: usize = 1024;
/// Most tokens of a command.
const LONGEST_COMMAND: u32 = 160;

/// What to do with candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// This token comes next.
    Token(u32),
    /// The command is complete.
    End,
    /// None of them will do.
    None,
}

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
        if self.grammar.is_none() {
            match Grammar::parse(&grammar()) {
                Ok(grammar) => self.grammar = Some(grammar),
                Err(error) => return self.refuse(&format!("the grammar of commands: {error}")),
            }
        }
        match self.request_prompt(request) {
            Ok(prompt) => {
                let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
                let generation = Generation::new(prompt, LONGEST_COMMAND, greedy, Self::no_stops()).guided();
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

    /// Compute offers candidates.
    pub(crate) fn candidates(&mut self, id: u32, sequence: u32, skipped: u32, tokens: &[u32]) {
        let Some(generation) = self.generation.as_ref().filter(|generation| generation.id == id) else {
            return;
        };
        if generation.ended.is_some() || !self.is(Kind::Ask) {
            return;
        }
        if !generation.expects(sequence) {
            return self.fail("compute offered tokens out of turn: it is not trusted further");
        }
        self.patience.start(crate::session::SILENCE);
        match self.choose(tokens) {
            Some(Choice::Token(token)) => {
                self.push_token(token);
                self.compute.push(ToCompute::Choose { id, sequence, token });
            }
            Some(Choice::None) if !tokens.is_empty() => self.compute.push(ToCompute::More { id, sequence }),
            Some(Choice::End) => self.end_generation(StopReason::Compute(Stop::EndOfGeneration)),
            Some(Choice::None) => {
                let why = format!("none of the {skipped} best tokens continues a command");
                self.say(ipc_protocol::console_session::Level::Warning, &why);
                self.end_generation(StopReason::Compute(Stop::Limit));
            }
            None => self.fail("the proposal does not follow the grammar of commands; /? lists them"),
        }
    }

    /// The first candidate that may come next; `None` when what there is does not follow the grammar.
    fn choose(&self, tokens: &[u32]) -> Option<Choice> {
        let (language, generation) = (self.model.language.as_ref()?, self.generation.as_ref()?);
        let mut matcher = Matcher::new(self.grammar.as_ref()?).ok()?;
        matcher.accept(&generation.bytes(&language.tokenizer)).ok()?;
        let mut piece = Vec::new();
        for token in tokens.iter().copied().filter(|token| *token < language.tokenizer.len()) {
            piece.clear();
            language.tokenizer.append_piece(token, false, &mut piece);
            if language.stops(token) {
                if matcher.is_complete() {
                    return Some(Choice::End);
                }
            } else if !piece.is_empty() && matcher.allows(&piece) {
                return Some(Choice::Token(token));
            }
        }
        Some(Choice::None)
    }

    fn push_token(&mut self, token: u32) {
        if let (Some(generation), Some(language)) = (self.generation.as_mut(), self.model.language.as_ref()) {
            generation.push(&language.tokenizer, token);
        }
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
