// SPDX-License-Identifier: MIT
//! A job while it is being told: lessons as they arrive, each count checked before it sizes anything.

use alloc::vec::Vec;
use ipc_protocol::session_trainer::{MOST_LESSONS, MOST_TOKENS, Role, ToTrainer};
use ipc_protocol::supervisor_compute::Sealed;
use training::Document;
use training::tune::{self, Lesson};

/// What is to be learnt, and over which model.
#[derive(Debug)]
pub struct Job {
    /// Session's number for it.
    pub number: u32,
    /// Where the model lies.
    pub sealed: Sealed,
    /// First bytes of the SHA-256 of its file.
    pub base: [u8; 8],
    /// Lessons that were announced.
    announced: usize,
    /// Lessons that came.
    pub lessons: Vec<Lesson>,
    /// Tokens of the last lesson that are still to come, and the first that counts.
    open: (usize, usize),
}

impl Job {
    /// Begins; `None` where more is announced than a job may have.
    pub fn begin(number: u32, sealed: Sealed, base: [u8; 8], lessons: u32) -> Option<Self> {
        let announced = lessons as usize;
        let usable = (1..=MOST_LESSONS).contains(&announced);
        usable.then(|| Self { number, sealed, base, announced, lessons: Vec::new(), open: (0, 0) })
    }

    /// Takes a part; whether it was the next one.
    pub fn add(&mut self, message: &ToTrainer) -> bool {
        match message {
            ToTrainer::Lesson { role, tokens, answer, .. } => {
                let (tokens, answer) = (*tokens as usize, *answer as usize);
                let fits = (2..=MOST_TOKENS).contains(&tokens) && (1..tokens).contains(&answer);
                let next = self.open.0 == 0 && self.lessons.len() < self.announced;
                if fits && next {
                    self.open = (tokens, answer);
                    self.lessons.push(Lesson { role: as_learnt(*role), document: Document::default() });
                }
                fits && next
            }
            ToTrainer::Tokens { tokens, .. } => self.add_tokens(tokens.as_slice()),
            _ => false,
        }
    }

    fn add_tokens(&mut self, tokens: &[u32]) -> bool {
        let Some(lesson) = self.lessons.last_mut().filter(|_| tokens.len() <= self.open.0) else {
            return false;
        };
        for token in tokens {
            lesson.document.counted.push(lesson.document.tokens.len() >= self.open.1);
            lesson.document.tokens.push(*token);
        }
        self.open.0 -= tokens.len();
        !tokens.is_empty()
    }

    /// Whether everything that was announced is there.
    pub fn is_complete(&self) -> bool {
        self.open.0 == 0 && self.lessons.len() == self.announced
    }
}

fn as_learnt(role: Role) -> tune::Role {
    match role {
        Role::Learn => tune::Role::Learn,
        Role::Replay => tune::Role::Replay,
        Role::HeldBack => tune::Role::HeldBack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc_protocol::List;

    const SEALED: Sealed = Sealed { generation: 1, offset: 0, length: 1, header: 1 };

    fn lesson(tokens: u32, answer: u32) -> ToTrainer {
        ToTrainer::Lesson { job: 1, role: Role::Learn, tokens, answer }
    }

    fn tokens(tokens: &[u32]) -> ToTrainer {
        ToTrainer::Tokens { job: 1, tokens: List::new(tokens) }
    }

    #[test]
    fn a_lesson_counts_its_answer_alone() {
        let mut job = Job::begin(1, SEALED, [0; 8], 1).expect("one lesson");
        assert!(job.add(&lesson(5, 3)) && job.add(&tokens(&[1, 2, 3])) && !job.is_complete());
        assert!(job.add(&tokens(&[4, 5])) && job.is_complete());
        assert_eq!(job.lessons[0].document.counted, [false, false, false, true, true]);
    }

    #[test]
    fn what_was_not_announced_is_refused() {
        assert!(Job::begin(1, SEALED, [0; 8], 0).is_none());
        assert!(Job::begin(1, SEALED, [0; 8], u32::MAX).is_none());
        let mut job = Job::begin(1, SEALED, [0; 8], 1).expect("one lesson");
        assert!(!job.add(&tokens(&[1])), "no lesson yet");
        for (count, answer) in [(1, 1), (u32::MAX, 1), (5, 0), (5, 5)] {
            assert!(!job.add(&lesson(count, answer)), "{count} {answer}");
        }
        assert!(job.add(&lesson(2, 1)));
        assert!(!job.add(&lesson(2, 1)), "the first is not complete");
        assert!(!job.add(&tokens(&[1, 2, 3])), "more tokens than announced");
        assert!(job.add(&tokens(&[1, 2])) && !job.add(&lesson(2, 1)), "a second lesson");
    }
}
