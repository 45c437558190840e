// SPDX-License-Identifier: MIT
//! Pairs: better answers, decisions about proposals, marked turns.

use super::Step;
use crate::request::Kind;
use crate::session::{SILENCE, Session, pieces};
use alloc::string::{String, ToString};
use inference_commands::REQUEST;
use ipc_protocol::session_retriever::{PairKind, Task, ToRetriever};

/// What is said where nothing is collected.
const OFF: &str =
    "learning is off: /learn on collects corrections, decisions about proposed commands, and marked turns";

impl Session {
    /// Whether pairs are collected.
    pub(super) fn is_learning(&self) -> bool {
        self.library.state.as_ref().is_some_and(|state| state.learning)
    }

    /// A command was proposed for a request in English.
    pub(crate) fn proposed(&mut self, request: &str, command: &str) {
        self.learning.proposal = Some((request.to_string(), command.to_string()));
    }

    /// A turn of the conversation is over: it is what a correction is about from now on.
    pub(crate) fn answered_turn(&mut self) {
        self.learning.proposal = None;
    }

    /// The user ran the proposed command, or did not.
    pub(crate) fn decided(&mut self, ran: bool) {
        let kind = if ran { PairKind::Accepted } else { PairKind::Refused };
        if let Some((request, command)) = self.learning.proposal.clone().filter(|_| self.is_learning()) {
            self.keep(kind, &alloc::format!("{REQUEST}{request}"), &command, Step::Quiet);
        }
    }

    /// `/correct`: a better answer to what was asked last.
    pub(crate) fn correct(&mut self, answer: &str) {
        let answer = answer.trim();
        self.retitle(Kind::Learn);
        if !self.is_learning() {
            return self.refuse(OFF);
        }
        let question = match (&self.learning.proposal, self.conversation.turns().back()) {
            (Some((request, _)), _) => alloc::format!("{REQUEST}{request}"),
            (None, Some(turn)) => turn.message.clone(),
            (None, None) => return self.refuse("nothing was asked yet: there is nothing to correct"),
        };
        if answer.is_empty() {
            return self.refuse("say the better answer: /correct TEXT");
        }
        if self.learning.proposal.is_none() && self.conversation.reopen() {
            self.conversation.answer(answer.to_string());
        }
        self.patience.start(SILENCE);
        self.keep(PairKind::Correction, question.trim(), answer, Step::Done);
    }

    /// `/learn mark`: the last turn is to be learnt as it is.
    pub(super) fn mark(&mut self) {
        if !self.is_learning() {
            return self.refuse(OFF);
        }
        let turn = self.conversation.turns().back();
        let pair = turn.and_then(|turn| Some((turn.message.clone(), turn.answer.clone()?)));
        match pair {
            Some((question, answer)) => {
                self.keep(PairKind::Marked, question.trim(), answer.trim(), Step::Done)
            }
            None => self.refuse("there is no answer to mark"),
        }
    }

    fn keep(&mut self, kind: PairKind, question: &str, answer: &str, step: Step) {
        let (task, whole) =
            (Task::Pair { kind, question: question.len() as u32 }, String::from_iter([question, answer]));
        for (piece, last) in pieces(&whole) {
            self.queue(ToRetriever::Text { id: 0, task, piece, last }, step);
        }
    }

    /// The request under way is about learning.
    pub(super) fn retitle(&mut self, kind: Kind) {
        if let Some(request) = self.request.as_mut() {
            request.kind = kind;
        }
    }
}
