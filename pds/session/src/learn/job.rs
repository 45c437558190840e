// SPDX-License-Identifier: MIT
//! The trainer's side: a job is handed over, its progress shown, its result judged and stored.

use super::lessons::{Lessons, lessons};
use super::{Step, report};
use crate::session::{Session, text};
use alloc::format;
use ipc_protocol::List;
use ipc_protocol::console_session::Level;
use ipc_protocol::session_retriever::{Learning as Want, Version};
use ipc_protocol::session_trainer::{Losses, TOKENS_PER_MESSAGE, ToSession, ToTrainer};

/// A job of the trainer's.
#[derive(Debug)]
pub(super) struct Job {
    number: u32,
    /// Of the model that it is for.
    base: [u8; 8],
    counts: [u32; 3],
    newest: u64,
    /// The last pass, of most, and its loss.
    pub(super) at: (u32, u32, f32),
    /// The last pass that was shown.
    shown: u32,
}

impl Session {
    /// Why nothing can be learnt.
    pub(super) fn why_no_trainer(&self) -> Option<&'static str> {
        let there = self.learning.trainer.is_some();
        (!there).then_some("this system has no trainer")
    }

    /// Follows the link and takes what there is; whether there was something.
    pub(super) fn hear_trainer(&mut self) -> bool {
        let Some(side) = self.learning.trainer.as_mut() else { return false };
        let started = side.poll();
        if started == Some(true) && self.learning.job.take().is_some() {
            self.say(Level::Warning, "learning ended: the trainer restarted. What was learnt before stays in use; /learn now begins anew");
        }
        let mut moved = started.is_some();
        while !self.console.is_backed_up() {
            match self.learning.trainer.as_mut().map(|side| side.receive()) {
                Some(Ok(Some(message))) => self.trained(message),
                Some(Err(_)) if self.learning.job.take().is_some() => {
                    self.say(
                        Level::Error,
                        "learning ended: the trainer broke the protocol; /restart trainer starts it anew",
                    );
                }
                _ => break,
            }
            moved = true;
        }
        moved
    }

    /// Pairs and adapters are known: hands a job to the trainer.
    pub(super) fn begin_job(&mut self) {
        let learnt = self.newest_learnt();
        let (Some(language), Some(sealed)) = (self.model.language.as_ref(), self.model.sealed) else {
            return self.refuse("no model is loaded");
        };
        let lessons = lessons(language, &self.learning.pairs, learnt);
        let [new, known, _] = lessons.counts;
        if new == 0 {
            return self.refuse(match known {
                0 => "there is nothing to learn: /correct TEXT gives a better answer to the last question",
                _ => "nothing new was collected since the adapter in use was learnt",
            });
        }
        self.learning.jobs += 1;
        let (number, base) = (self.learning.jobs, self.model.hash);
        self.hand_over(
            number,
            &lessons,
            ToTrainer::Begin { job: number, sealed, base, lessons: lessons.all.len() as u32 },
        );
        self.say(Level::Plain, &report::begun(lessons.counts, lessons.left_out));
        let (counts, newest) = (lessons.counts, lessons.newest);
        self.learning.job = Some(Job { number, base, counts, newest, at: (0, 0, 0.0), shown: 0 });
        self.end_learning(true);
    }

    fn hand_over(&mut self, job: u32, lessons: &Lessons, begin: ToTrainer) {
        let Some(side) = self.learning.trainer.as_mut() else { return };
        side.push(begin);
        for lesson in &lessons.all {
            let (role, tokens, answer) = (lesson.role, lesson.tokens.len() as u32, lesson.answer as u32);
            side.push(ToTrainer::Lesson { job, role, tokens, answer });
            for tokens in lesson.tokens.chunks(TOKENS_PER_MESSAGE) {
                side.push(ToTrainer::Tokens { job, tokens: List::new(tokens) });
            }
        }
        side.push(ToTrainer::Go { job });
    }

    pub(super) fn stop_learning(&mut self) {
        let job = self.learning.job.as_ref().map(|job| job.number);
        match (job, self.learning.trainer.as_mut()) {
            (Some(job), Some(side)) => {
                side.push(ToTrainer::Stop { job });
                self.end_learning(true);
            }
            _ => self.refuse("nothing is being learnt"),
        }
    }

    /// Ends a job; whether there was one.
    pub(crate) fn drop_job(&mut self) -> bool {
        let Some(job) = self.learning.job.take() else { return false };
        if let Some(side) = self.learning.trainer.as_mut() {
            side.push(ToTrainer::Stop { job: job.number });
        }
        true
    }

    fn trained(&mut self, message: ToSession) {
        let mine = |number: u32| self.learning.job.as_ref().is_some_and(|job| job.number == number);
        match message {
            ToSession::Progress { job, pass, of, loss } if mine(job) => self.progress(pass, of, loss),
            ToSession::Failed { job, stopped, why } if mine(job) => {
                self.not_learnt(stopped, &text(why.as_slice()))
            }
            ToSession::Done { job, before, after, passes, length, checksum } if mine(job) => {
                self.learnt((before, after), passes, (length, checksum));
            }
            _ => {}
        }
    }

    /// Some of the passes are shown.
    fn progress(&mut self, pass: u32, of: u32, loss: f32) {
        let Some(job) = self.learning.job.as_mut() else { return };
        job.at = (pass, of, loss);
        if pass == 1 || pass >= job.shown + 4 {
            job.shown = pass;
            self.say_aside(Level::Plain, &format!("learning: pass {pass} of at most {of}, loss {loss:.3}"));
        }
    }

    fn not_learnt(&mut self, stopped: bool, why: &str) {
        self.learning.job = None;
        match stopped {
            true => self.say_aside(Level::Plain, "learning is stopped; what was in use stays in use"),
            false => self
                .say_aside(Level::Error, &format!("nothing is learnt: {why}. What was in use stays in use")),
        }
    }

    fn learnt(&mut self, (before, after): (Losses, Losses), passes: u32, (length, checksum): (u32, u64)) {
        let Some(job) = self.learning.job.take() else { return };
        let lines = report::result(job.counts, &before, &after, passes);
        self.say_aside(Level::Plain, &lines);
        if let Some(why) = report::objection(&before, &after) {
            return self.say_aside(Level::Warning, &format!("{why}: the adapter is not used"));
        }
        if job.base != self.model.hash {
            return self.say_aside(Level::Warning, "another model is loaded now: the adapter is not used");
        }
        let Job { base, counts, newest, .. } = job;
        let (pairs, before, after) = (counts[0] + counts[1], before.mean[0], after.mean[0]);
        let version = Version { base, length, checksum, pairs, newest, before, after, ..Version::default() };
        self.learning.versions.clear();
        self.want(Want::Keep(version), Step::Kept);
    }

    /// Says something about a job, which is nobody's request.
    pub(crate) fn say_aside(&mut self, level: Level, line: &str) {
        let request = self.request.take();
        self.say(level, line);
        self.request = request;
    }
}
