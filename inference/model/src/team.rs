// SPDX-License-Identifier: MIT
//! Workers side by side: barriers and the exchange of results through outboxes.
//!
//! An outbox is a region of 32-bit words that one worker writes and the others read, with atomic operations only, so
//! nothing here depends on where a region is mapped. Words: the owner's count of barriers; then, twice (for barriers
//! of even and of odd number), a flag, a command and the results of one step. A worker writes one half while others
//! may still read the other: it cannot come back to that one before they passed the barrier between, so one barrier
//! per exchange is enough.

use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::{Config, EvalError, Hyper, share};

/// Word of the barrier count; the rest of its cache line is unused.
const EPOCH: usize = 0;
const LINE: usize = 16;
/// Words of a half: the leader's flag; operation, position and count of its command; then results or tokens.
const FLAG: usize = 0;
const OPERATION: usize = 1;
const DATA: usize = 4;

/// What a worker does while it waits for others.
pub trait Pace {
    /// Called after the `spins`-th look that found nothing. `false` gives up: the step ends with
    /// [`EvalError::WorkerLost`].
    fn pause(&self, spins: u32) -> bool;

    /// Called by the leader when it has published a command, for followers that sleep between commands.
    fn wake(&self) {}

    /// Called by every worker when it has come to a barrier, for others that sleep there.
    fn arrived(&self) {}
}

/// Waits by spinning, without end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin;

impl Pace for Spin {
    fn pause(&self, _: u32) -> bool {
        core::hint::spin_loop();
        true
    }
}

/// A worker's view of all outboxes.
pub struct Team<'b> {
    index: usize,
    boxes: &'b [&'b [AtomicU32]],
    pace: &'b dyn Pace,
    epoch: u32,
}

/// What a leader asks of its followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) op: u32,
    pub(crate) position: u32,
    pub(crate) count: u32,
}

/// Words that worker `index`'s outbox needs, or `None` where they cannot be counted.
pub(crate) fn outbox_words(hyper: &Hyper, config: &Config) -> Option<usize> {
    if config.workers == 1 {
        return Some(0);
    }
    let widest =
        |width: usize| (0..config.workers).map(|i| share::rows(width, i, config.workers).len()).max();
    let heads = hyper.heads.div_ceil(config.workers) * hyper.value_len;
    let rows = widest(hyper.feed_forward)?.max(widest(hyper.embedding)?).max(heads);
    let results = rows.checked_mul(config.batch)?.max(widest(hyper.vocab)?).max(config.batch);
    results.checked_add(DATA)?.checked_mul(2)?.checked_add(LINE)
}

impl<'b> Team<'b> {
    /// The only worker.
    #[must_use]
    pub fn alone() -> Team<'static> {
        Team { index: 0, boxes: &[], pace: &Spin, epoch: 0 }
    }

    /// Worker `index` of `boxes.len()`; all `boxes` have the same length and their first word is 0 when the first
    /// worker starts. This worker writes only `boxes[index]`.
    #[must_use]
    pub fn new(index: usize, boxes: &'b [&'b [AtomicU32]], pace: &'b dyn Pace) -> Self {
        Self { index, boxes, pace, epoch: 0 }
    }

    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Number of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.boxes.len().max(1)
    }

    /// Whether this worker gives the commands.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.index == 0
    }

    /// Words of the smallest outbox.
    pub(crate) fn words(&self) -> usize {
        self.boxes.iter().map(|b| b.len()).min().unwrap_or(0)
    }

    /// The half of worker `of`'s outbox that belongs to the next barrier.
    fn half(&self, of: usize) -> &'b [AtomicU32] {
        self.half_of(of, self.parity())
    }

    fn half_of(&self, of: usize, parity: usize) -> &'b [AtomicU32] {
        let words = self.boxes[of];
        let half = words.len().saturating_sub(LINE) / 2;
        &words[LINE + half * parity..][..half]
    }

    fn parity(&self) -> usize {
        (self.epoch.wrapping_add(1) & 1) as usize
    }

    /// Waits until every worker has come here as often as this one.
    fn barrier(&mut self) -> Result<(), EvalError> {
        self.arrive();
        self.await_all()
    }

    /// Counts this worker. Pairs with the Acquire in `await_all`.
    fn arrive(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.boxes[self.index][EPOCH].store(self.epoch, Ordering::Release);
        self.pace.arrived();
    }

    /// Waits until every worker has been counted as often as this one. Pairs with the Release in `arrive`.
    fn await_all(&self) -> Result<(), EvalError> {
        for (i, words) in self.boxes.iter().enumerate() {
            let mut spins = 0u32;
            while i != self.index
                && (words[EPOCH].load(Ordering::Acquire).wrapping_sub(self.epoch) as i32) < 0
            {
                spins = spins.saturating_add(1);
                if !self.pace.pause(spins) {
                    return Err(EvalError::WorkerLost);
                }
            }
        }
        Ok(())
    }

    /// Shares (token, width) results: this worker's columns `part(index)` of `full` go to all, theirs come here.
    /// `stop` is the leader's flag; the result is what the leader said.
    pub(crate) fn exchange(
        &mut self,
        full: &mut [f32],
        width: usize,
        part: impl Fn(usize) -> Range<usize>,
        stop: bool,
    ) -> Result<bool, EvalError> {
        if self.workers() == 1 {
            return Ok(stop);
        }
        let mine = self.half(self.index);
        mine[FLAG].store(u32::from(stop), Ordering::Relaxed);
        publish(full, width, part(self.index), &mine[DATA..]);
        let parity = self.parity();
        self.barrier()?;
        for other in (0..self.workers()).filter(|i| *i != self.index) {
            collect(full, width, part(other), &self.half_of(other, parity)[DATA..]);
        }
        Ok(self.half_of(0, parity)[FLAG].load(Ordering::Relaxed) != 0)
    }

    /// Leader: tells the others what to compute and lets them go.
    pub(crate) fn command(&mut self, command: Command, tokens: &[u32]) -> Result<(), EvalError> {
        if self.workers() == 1 {
            return Ok(());
        }
        let mine = self.half(self.index);
        let words = [command.op, command.position, command.count];
        for (word, value) in mine[OPERATION..].iter().zip(words.iter().chain(tokens)) {
            word.store(*value, Ordering::Relaxed);
        }
        // Who is woken finds the count: it was there before.
        self.arrive();
        self.pace.wake();
        self.await_all()
    }

    /// Follower: waits for the leader's next command; its tokens go to `tokens`.
    pub(crate) fn await_command(&mut self, tokens: &mut [u32]) -> Result<Command, EvalError> {
        let parity = self.parity();
        self.barrier()?;
        let words = self.half_of(0, parity);
        let word = |i: usize| words[OPERATION + i].load(Ordering::Relaxed);
        for (token, word) in tokens.iter_mut().zip(&words[DATA..]) {
            *token = word.load(Ordering::Relaxed);
        }
        Ok(Command { op: word(0), position: word(1), count: word(2) })
    }
}

/// Copies columns `part` of (token, width) rows into an outbox.
fn publish(full: &[f32], width: usize, part: Range<usize>, results: &[AtomicU32]) {
    let len = part.len().max(1);
    for (row, words) in full.chunks_exact(width).zip(results.chunks(len)) {
        for (value, word) in row[part.clone()].iter().zip(words) {
            word.store(value.to_bits(), Ordering::Relaxed);
        }
    }
}

/// Copies another worker's columns `part` out of its outbox.
fn collect(full: &mut [f32], width: usize, part: Range<usize>, results: &[AtomicU32]) {
    let len = part.len().max(1);
    for (row, words) in full.chunks_exact_mut(width).zip(results.chunks(len)) {
        for (value, word) in row[part.clone()].iter_mut().zip(words) {
            *value = f32::from_bits(word.load(Ordering::Relaxed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn workers_see_each_others_results_and_the_leaders_flag() {
        const WORKERS: usize = 3;
        let words: Vec<Vec<AtomicU32>> =
            (0..WORKERS).map(|_| (0..512).map(|_| AtomicU32::new(0)).collect()).collect();
        let boxes: Vec<&[AtomicU32]> = words.iter().map(Vec::as_slice).collect();
        std::thread::scope(|scope| {
            for index in 0..WORKERS {
                let boxes = &boxes;
                scope.spawn(move || {
                    let pace = Yield;
                    let mut team = Team::new(index, boxes, &pace);
                    for round in 0..2_000u32 {
                        let mut full = [0f32; 2 * 40];
                        let part = share::rows(40, index, WORKERS);
                        for t in 0..2 {
                            part.clone()
                                .for_each(|i| full[t * 40 + i] = (round as usize + t * 40 + i) as f32);
                        }
                        let stop = team
                            .exchange(
                                &mut full,
                                40,
                                |i| share::rows(40, i, WORKERS),
                                index == 0 && round % 3 == 0,
                            )
                            .unwrap();
                        assert_eq!(stop, round % 3 == 0);
                        assert!(full.iter().enumerate().all(|(i, v)| *v == (round as usize + i) as f32));
                    }
                });
            }
        });
    }

    struct Yield;

    impl Pace for Yield {
        fn pause(&self, _: u32) -> bool {
            std::thread::yield_now();
            true
        }
    }
}
