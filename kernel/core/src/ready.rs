//! Ready queues of one core: a first-in, first-out queue per priority and a bitmap of those not empty.

use crate::object::Thread;
use crate::{Id, Table};

pub(crate) struct ReadyQueues {
    bitmap: [u64; 4],
    heads: [Option<Id>; 256],
    tails: [Option<Id>; 256],
}

impl ReadyQueues {
    pub const EMPTY: Self = Self { bitmap: [0; 4], heads: [None; 256], tails: [None; 256] };

    /// Highest priority that has a ready thread.
    #[inline(always)]
    pub fn highest(&self) -> Option<u8> {
        for word in [3usize, 2, 1, 0] {
            if self.bitmap[word] != 0 {
                return Some((word * 64) as u8 + 63 - self.bitmap[word].leading_zeros() as u8);
            }
        }
        None
    }

    /// Appends a thread that is in no queue.
    #[inline]
    pub fn push_back(&mut self, threads: &mut Table<Thread>, id: Id) {
        let priority = threads[id].priority;
        let old = self.tails[usize::from(priority)].replace(id);
        match old {
            Some(tail) => threads[tail].next = Some(id),
            None => self.heads[usize::from(priority)] = Some(id),
        }
        self.mark(priority);
        let thread = &mut threads[id];
        (thread.prev, thread.next, thread.queued) = (old, None, true);
    }

    /// Puts a thread that is in no queue before its equals.
    #[inline]
    pub fn push_front(&mut self, threads: &mut Table<Thread>, id: Id) {
        let priority = threads[id].priority;
        let old = self.heads[usize::from(priority)].replace(id);
        match old {
            Some(head) => threads[head].prev = Some(id),
            None => self.tails[usize::from(priority)] = Some(id),
        }
        self.mark(priority);
        let thread = &mut threads[id];
        (thread.prev, thread.next, thread.queued) = (None, old, true);
    }

    /// Takes a queued thread out.
    #[inline]
    pub fn remove(&mut self, threads: &mut Table<Thread>, id: Id) {
        let Thread { priority, next, prev, .. } = threads[id];
        match prev {
            Some(prev) => threads[prev].next = next,
            None => self.heads[usize::from(priority)] = next,
        }
        match next {
            Some(next) => threads[next].prev = prev,
            None => self.tails[usize::from(priority)] = prev,
        }
        if prev.is_none() && next.is_none() {
            self.bitmap[usize::from(priority >> 6)] &= !(1 << (priority & 63));
        }
        let thread = &mut threads[id];
        (thread.prev, thread.next, thread.queued) = (None, None, false);
    }

    /// Takes the first thread of a priority.
    #[inline]
    pub fn pop(&mut self, threads: &mut Table<Thread>, priority: u8) -> Option<Id> {
        let id = self.heads[usize::from(priority)]?;
        self.remove(threads, id);
        Some(id)
    }

    #[inline(always)]
    fn mark(&mut self, priority: u8) {
        self.bitmap[usize::from(priority >> 6)] |= 1 << (priority & 63);
    }

    #[cfg(test)]
    pub fn head(&self, priority: u8) -> Option<Id> {
        self.heads[usize::from(priority)]
    }
}
