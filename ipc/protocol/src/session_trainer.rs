//! Session and trainer: lessons as token ids in, figures out. The adapter itself lies in `trainer_adapter`.
//!
//! A job is `Begin`, then for each lesson one `Lesson` and its `Tokens`, then `Go`. It ends with one `Done` or `Failed`.
//! The trainer works on one job at a time; a `Begin` replaces the one before.

use crate::supervisor_compute::Sealed;
use crate::{List, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Token ids in one message.
pub const TOKENS_PER_MESSAGE: usize = 40;
/// Most lessons of a job.
pub const MOST_LESSONS: usize = 64;
/// Most tokens of a lesson.
pub const MOST_TOKENS: usize = 256;

/// What a lesson is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Role {
    /// To be learnt.
    Learn,
    /// Known: learnt again, so that it is not forgotten.
    Replay,
    /// Only measured.
    HeldBack,
}

/// From session to trainer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToTrainer {
    /// A job begins.
    Begin {
        /// Chosen by session, increasing.
        job: u32,
        /// The model in the weights region.
        sealed: Sealed,
        /// First bytes of the SHA-256 of its file.
        base: [u8; 8],
        /// Lessons that follow.
        lessons: u32,
    },
    /// The next lesson.
    Lesson {
        /// The job.
        job: u32,
        /// What it is for.
        role: Role,
        /// Tokens that follow.
        tokens: u32,
        /// The first of them that is to be predicted; those before are the question.
        answer: u32,
    },
    /// Tokens of the last lesson.
    Tokens {
        /// The job.
        job: u32,
        /// The token ids.
        tokens: List<u32, TOKENS_PER_MESSAGE>,
    },
    /// All lessons are there: learn.
    Go {
        /// The job.
        job: u32,
    },
    /// Stop at the next document.
    Stop {
        /// The job.
        job: u32,
    },
}

/// Mean losses in nats per token and the number of lessons, by [`Role`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, MaxSize)]
pub struct Losses {
    /// Means.
    pub mean: [f32; 3],
    /// Lessons.
    pub lessons: [u32; 3],
}

/// From trainer to session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum ToSession {
    /// A pass over the lessons is done.
    Progress {
        /// The job.
        job: u32,
        /// From 1 on.
        pass: u32,
        /// Of at most so many.
        of: u32,
        /// Mean loss of the pass.
        loss: f32,
    },
    /// An adapter lies in `trainer_adapter`.
    Done {
        /// The job.
        job: u32,
        /// Losses of the base.
        before: Losses,
        /// Losses with the adapter.
        after: Losses,
        /// Passes that were made.
        passes: u32,
        /// Bytes of the adapter.
        length: u32,
        /// Their checksum.
        checksum: u64,
    },
    /// There is no adapter.
    Failed {
        /// The job.
        job: u32,
        /// Session had said `Stop`.
        stopped: bool,
        /// For people.
        why: Piece,
    },
}
