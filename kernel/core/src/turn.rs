//! The ends of turns: budgets that are used up, refills that are due, threads that yield.
//!
//! One design rule: as in [`crate::schedule`], of which this is a part: time is read once for each event.

use crate::{Arch, Id, Kernel, MAX_CORES};

impl<A: Arch> Kernel<A> {
    /// The deadline passed: ends the running turn or budget and releases what has a refill again.
    pub fn tick(&mut self) {
        let now = self.arch.now();
        self.charge(now);
        self.core().reprogram = true;
        if let (Some(current), Some(sc)) = (self.core().current, self.core().sc) {
            let turn_over = self.contexts[sc].refills.end_turn();
            let again = turn_over && self.is_schedulable(current);
            self.end_turn(current, sc, now, again);
        }
        self.release(now);
    }

    pub(crate) fn release(&mut self, now: u64) {
        let mut waiting = self.core().postponed;
        while let Some(sc) = Id::of_slot(waiting.trailing_zeros() as usize) {
            waiting &= waiting - 1;
            if self.contexts[sc].refills.is_ready(now) {
                self.stop_waiting(sc);
                if let Some(thread) = self.contexts[sc].thread {
                    self.wake(thread);
                }
            }
        }
    }

    /// The thread gives up the rest of its turn or of its current refill.
    pub(crate) fn yield_turn(&mut self, id: Id) {
        let now = self.arch.now();
        self.charge(now);
        self.core().reprogram = true;
        let Some(sc) = self.threads[id].sc else { return };
        let left = self.contexts[sc].refills.available();
        self.contexts[sc].refills.charge(left);
        self.contexts[sc].refills.end_turn();
        self.end_turn(id, sc, now, true);
    }

    /// The thread waits for its next refill or, if it may run `again`, behind its equals.
    fn end_turn(&mut self, id: Id, sc: Id, now: u64, again: bool) {
        if !self.contexts[sc].refills.is_ready(now) {
            self.postpone(sc);
        } else if again && !self.threads[id].queued {
            let here = self.here & (MAX_CORES - 1);
            self.cores[here].ready.push_back(&mut self.threads, id);
        }
    }
}
