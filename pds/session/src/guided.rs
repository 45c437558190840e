// SPDX-License-Identifier: MIT
//! Answers that follow a grammar: commands for requests in English, and quotations from passages.
//!
//! Compute offers candidates, best first; session takes the first whose text may come next, so what comes out follows the
//! grammar whatever the model is.

use crate::request::Kind;
use crate::session::{SILENCE, Session};
use alloc::format;
use alloc::vec::Vec;
use inference_sampler::{Grammar, Matcher};
use ipc_protocol::console_session::{Level, StopReason};
use ipc_protocol::session_compute::{Stop, ToCompute};

/// What to do with candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// This token comes next.
    Token(u32),
    /// The text is complete.
    End,
    /// None of them will do.
    None,
}

impl Session {
    /// The grammar that what is under way follows, and what it makes.
    fn grammar(&self) -> Option<(&Grammar, &'static str)> {
        match self.request?.kind {
            Kind::Ask => Some((self.grammar.as_ref()?, "command")),
            Kind::Answer => Some((self.library.quotations.as_ref()?, "quotation from the passages")),
            _ => None,
        }
    }

    /// Compute offers candidates.
    pub(crate) fn candidates(&mut self, id: u32, sequence: u32, skipped: u32, tokens: &[u32]) {
        let Some(generation) = self.generation.as_ref().filter(|generation| generation.id == id) else {
            return;
        };
        let Some((_, what)) = self.grammar() else { return };
        if generation.ended.is_some() {
            return;
        }
        if !generation.expects(sequence) {
            return self.fail("compute offered tokens out of turn: it is not trusted further");
        }
        self.patience.start(SILENCE);
        match self.choose(tokens) {
            Some(Choice::Token(token)) => {
                self.push_token(token);
                self.compute.push(ToCompute::Choose { id, sequence, token });
            }
            Some(Choice::None) if !tokens.is_empty() => self.compute.push(ToCompute::More { id, sequence }),
            Some(Choice::End) => self.end_generation(StopReason::Compute(Stop::EndOfGeneration)),
            Some(Choice::None) => {
                self.say(Level::Warning, &format!("none of the {skipped} best tokens continues a {what}"));
                self.end_generation(StopReason::Compute(Stop::Limit));
            }
            None => self.fail(&format!("what was answered so far is no {what}")),
        }
    }

    /// The first candidate that may come next; `None` when what there is does not follow the grammar.
    fn choose(&self, tokens: &[u32]) -> Option<Choice> {
        let (language, generation) = (self.model.language.as_ref()?, self.generation.as_ref()?);
        let mut matcher = Matcher::new(self.grammar()?.0).ok()?;
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
}
