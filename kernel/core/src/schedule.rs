//! Which thread runs: fixed priorities, first in first out among equals, budgets by scheduling context.
//!
//! One design rule: a core's current thread is in no queue, and after [`Kernel::schedule`] no ready thread of the
//! core has a higher priority. Time is read only where a scheduling context starts or stops being used.

use crate::object::{State, Thread};
use crate::{Arch, Frame, Id, Kernel, MAX_CORES};

impl<A: Arch> Kernel<A> {
    /// Whether a thread could run now if its core were free.
    #[inline(always)]
    pub(crate) fn is_schedulable(&self, id: Id) -> bool {
        let thread = &self.threads[id];
        matches!(thread.state, State::Running | State::Restart)
            && thread.sc.is_some_and(|sc| !self.contexts[sc].postponed)
    }

    /// Lets a thread that became runnable compete for its core.
    #[inline]
    pub(crate) fn wake(&mut self, id: Id) {
        self.make_ready(id, false);
    }

    /// As [`Kernel::wake`], before its equals: a caller that has its answer goes on with its turn.
    #[inline]
    pub(crate) fn wake_first(&mut self, id: Id) {
        self.make_ready(id, true);
    }

    #[inline(always)]
    fn make_ready(&mut self, id: Id, first: bool) {
        let thread = &self.threads[id];
        if thread.queued || !self.is_schedulable(id) {
            return;
        }
        let core = usize::from(thread.core) & (MAX_CORES - 1);
        let priority = thread.priority;
        if self.cores[core].current == Some(id) {
            return;
        }
        let ready = &mut self.cores[core].ready;
        if first {
            ready.push_front(&mut self.threads, id)
        } else {
            ready.push_back(&mut self.threads, id)
        }
        if core != self.here {
            self.wake_core(core, priority);
        }
    }

    fn wake_core(&mut self, core: usize, priority: u8) {
        let higher = match self.cores[core].current {
            Some(current) => self.threads[current].priority < priority || !self.is_schedulable(current),
            None => true,
        };
        if higher {
            self.kicks |= 1 << core;
        }
    }

    /// Takes a thread out of the competition: out of its ready queue and, when it runs elsewhere, off its core.
    pub(crate) fn withdraw(&mut self, id: Id) {
        if self.threads[id].queued {
            let core = usize::from(self.threads[id].core) & (MAX_CORES - 1);
            self.cores[core].ready.remove(&mut self.threads, id);
        }
    }

    /// Chooses the executing core's next thread. Every way into the kernel ends here.
    #[inline]
    pub fn schedule(&mut self) {
        loop {
            let core = self.core();
            let current = core.current;
            let top = core.ready.highest();
            let keep = match current {
                Some(id) if !self.threads[id].queued && self.is_schedulable(id) => self.stays(id),
                _ => None,
            };
            let next = match (keep, top) {
                (Some(id), None) => Some(id),
                (Some(id), Some(top)) if top <= self.threads[id].priority => Some(id),
                (_, None) => None,
                (keep, Some(top)) => {
                    let here = self.here & (MAX_CORES - 1);
                    if let Some(id) = keep {
                        self.cores[here].ready.push_front(&mut self.threads, id);
                    }
                    self.cores[here].ready.pop(&mut self.threads, top)
                }
            };
            if self.dispatch(next) {
                break;
            }
        }
        if self.kicks != 0 {
            self.send_kicks();
        }
    }

    /// The current thread, unless the scheduling context it was lent belongs to another core: then it goes on there.
    #[inline(always)]
    fn stays(&mut self, id: Id) -> Option<Id> {
        let Thread { core, priority, .. } = self.threads[id];
        let core = usize::from(core) & (MAX_CORES - 1);
        if core == self.here {
            return Some(id);
        }
        self.cores[core].ready.push_back(&mut self.threads, id);
        self.wake_core(core, priority);
        None
    }

    /// Makes `next` the core's thread; false when its budget turned out to be used up.
    #[inline(always)]
    fn dispatch(&mut self, next: Option<Id>) -> bool {
        let sc = next.and_then(|id| self.threads[id].sc);
        if (self.core().sc != sc || self.core().reprogram) && !self.switch_context(sc) {
            return false;
        }
        if self.core().current != next {
            self.core().current = next;
            self.arch.switch_to(next);
        }
        if let Some(id) = next
            && self.threads[id].state == State::Restart
        {
            self.threads[id].state = State::Running;
            let frame = self.arch.frame(id);
            let pc = frame.restart_pc();
            frame.set_pc(pc);
        }
        true
    }

    /// Charges the old scheduling context, starts the new one and sets the deadline; false when the new one has to wait.
    fn switch_context(&mut self, sc: Option<Id>) -> bool {
        let now = self.arch.now();
        self.charge(now);
        if let Some(sc) = sc {
            if !self.contexts[sc].refills.is_ready(now) {
                self.postpone(sc);
                return false;
            }
            self.contexts[sc].refills.start(now);
        }
        let core = self.core();
        core.sc = sc;
        core.reprogram = false;
        let end = sc.map(|sc| now.saturating_add(self.contexts[sc].refills.turn()));
        let deadline = if self.core().postponed == 0 { end } else { self.earliest(end) };
        self.arch.set_deadline(deadline);
        true
    }

    /// Charges the running scheduling context up to `now`.
    pub(crate) fn charge(&mut self, now: u64) {
        let core = self.core();
        let used = now.saturating_sub(core.since);
        core.since = now;
        if let Some(sc) = core.sc {
            self.contexts[sc].refills.charge(used);
        }
    }

    /// Holds a scheduling context back until its next refill.
    pub(crate) fn postpone(&mut self, sc: Id) {
        self.contexts[sc].postponed = true;
        let core = usize::from(self.contexts[sc].core) & (MAX_CORES - 1);
        self.cores[core].postponed |= 1 << sc.slot();
        self.cores[core].reprogram = true;
        if let Some(thread) = self.contexts[sc].thread {
            self.withdraw(thread);
        }
    }

    /// Lets a scheduling context no longer wait for its refill; it is checked again when it is next used.
    pub(crate) fn stop_waiting(&mut self, sc: Id) {
        if self.contexts[sc].postponed {
            self.contexts[sc].postponed = false;
            let core = usize::from(self.contexts[sc].core) & (MAX_CORES - 1);
            self.cores[core].postponed &= !(1 << sc.slot());
        }
    }

    fn earliest(&mut self, end: Option<u64>) -> Option<u64> {
        let mut waiting = self.core().postponed;
        let mut earliest = end;
        while let Some(sc) = Id::of_slot(waiting.trailing_zeros() as usize) {
            waiting &= waiting - 1;
            let at = self.contexts[sc].refills.ready_at();
            earliest = Some(earliest.map_or(at, |time| time.min(at)));
        }
        earliest
    }

    fn send_kicks(&mut self) {
        for core in 0..MAX_CORES {
            if self.kicks & 1 << core != 0 {
                self.arch.kick(core);
            }
        }
        self.kicks = 0;
    }
}
