// SPDX-License-Identifier: MIT
//! Waiting for other threads: spinning for some microseconds, as long as a layer's threads usually differ, then sleeping.

use std::cell::Cell;
use std::hint;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};

use inference_model::Pace;

/// Looks before a thread sleeps: about 50 microseconds.
const SPINS: u32 = 3_000;

/// Where threads of a team sleep.
#[derive(Debug, Default)]
pub struct Lot {
    /// Arrivals at barriers so far.
    events: AtomicU32,
    sleepers: AtomicU32,
    lock: Mutex<()>,
    bell: Condvar,
}

impl Lot {
    /// Sleeps until there are other events than `seen`.
    ///
    /// A sleeper counts itself before it looks at the events; who arrives counts the event before it looks for sleepers.
    /// So one of the two sees the other, and holding the lock keeps the bell from ringing between look and sleep.
    fn sleep(&self, seen: u32) {
        self.sleepers.fetch_add(1, SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.events.load(SeqCst) == seen {
            guard = self.bell.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.sleepers.fetch_sub(1, SeqCst);
    }

    fn ring(&self) {
        self.events.fetch_add(1, SeqCst);
        if self.sleepers.load(SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.bell.notify_all();
        }
    }
}

/// One thread's way of waiting.
pub struct SpinThenPark<'l> {
    lot: &'l Lot,
    seen: Cell<u32>,
}

impl<'l> SpinThenPark<'l> {
    pub fn new(lot: &'l Lot) -> Self {
        Self { lot, seen: Cell::new(0) }
    }
}

impl Pace for SpinThenPark<'_> {
    fn pause(&self, spins: u32) -> bool {
        if spins < SPINS {
            hint::spin_loop();
            return true;
        }
        // The caller looks once more after the events were noted: only what comes later may wake this thread.
        let seen = self.lot.events.load(SeqCst);
        if spins > SPINS && self.seen.get() == seen {
            self.lot.sleep(seen);
        }
        self.seen.set(seen);
        true
    }

    fn arrived(&self) {
        self.lot.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    /// A thread that went to sleep long before comes back; nothing but the arrival wakes it.
    #[test]
    fn an_arrival_wakes_a_sleeper() {
        for wait in [0, 0, 0, 20] {
            let (lot, there) = (Lot::default(), AtomicBool::new(false));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let (pace, mut spins) = (SpinThenPark::new(&lot), 0);
                    while !there.load(SeqCst) {
                        spins += 1;
                        assert!(pace.pause(spins));
                    }
                });
                std::thread::sleep(Duration::from_millis(wait));
                there.store(true, SeqCst);
                SpinThenPark::new(&lot).arrived();
            });
        }
    }
}
