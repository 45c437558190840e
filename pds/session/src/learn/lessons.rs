// SPDX-License-Identifier: MIT
//! From pairs to lessons: which are learnt, which are replayed, which are held back to measure.
//!
//! One design rule: a pair that is held back is never learnt, and it stays so: its number decides.

use super::Pair;
use crate::language::Language;
use alloc::vec::Vec;
use inference_commands::REQUEST;
use ipc_protocol::session_retriever::PairKind;
use ipc_protocol::session_trainer::{MOST_LESSONS, MOST_TOKENS, Role};

/// Requests that every model of the project knows: some are replayed, some measured, so that learning does not cost
/// what was there before.
const KNOWN: [(Role, &str, &str); 6] = [
    (Role::Replay, "how much memory is free", "/mem"),
    (Role::Replay, "list the models", "/models"),
    (Role::Replay, "restart the console", "/restart console"),
    (Role::HeldBack, "show me the status", "/status"),
    (Role::HeldBack, "forget our conversation", "/clear"),
    (Role::HeldBack, "what version is this", "/version"),
];
/// With so many new pairs or more, one in so many is held back.
const HELD_BACK: usize = 5;

/// A lesson for the trainer.
#[derive(Debug)]
pub(super) struct Lesson {
    pub role: Role,
    pub tokens: Vec<u32>,
    /// The first token of the answer.
    pub answer: usize,
}

/// All lessons of a job.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    pub all: Vec<Lesson>,
    /// New pairs, pairs that an adapter has learnt before, pairs held back.
    pub counts: [u32; 3],
    /// Pairs that were left out: too long, too many, or what the vocabulary cannot say.
    pub left_out: u32,
    /// The newest pair.
    pub newest: u64,
}

/// Makes lessons of `pairs`; those up to number `learnt` were learnt before.
pub(super) fn lessons(language: &Language, pairs: &[Pair], learnt: u64) -> Lessons {
    let mut lessons = Lessons::default();
    let usable: Vec<&Pair> = pairs.iter().filter(|pair| pair.kind != PairKind::Refused).collect();
    let room = MOST_LESSONS - KNOWN.len();
    lessons.left_out = usable.len().saturating_sub(room) as u32;
    let enough = usable.len() >= HELD_BACK;
    for pair in usable.into_iter().rev().take(room).rev() {
        let role = match pair.number {
            number if enough && number % HELD_BACK as u64 == 0 => Role::HeldBack,
            number if number <= learnt => Role::Replay,
            _ => Role::Learn,
        };
        lessons.newest = lessons.newest.max(pair.number);
        match lesson(language, role, &pair.question, &pair.answer) {
            Some(lesson) => {
                lessons.counts[role as usize] += 1;
                lessons.all.push(lesson);
            }
            None => lessons.left_out += 1,
        }
    }
    for (role, request, command) in KNOWN {
        lessons.all.extend(lesson(language, role, &alloc::format!("{REQUEST}{request}"), command));
    }
    lessons
}

/// `None` where it is too long, or where there is nothing to predict.
fn lesson(language: &Language, role: Role, question: &str, answer: &str) -> Option<Lesson> {
    let (tokens, answer) = language.lesson(question, answer).ok()?;
    (tokens.len() <= MOST_TOKENS && (1..tokens.len()).contains(&answer)).then_some(Lesson {
        role,
        tokens,
        answer,
    })
}
