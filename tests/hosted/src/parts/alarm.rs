//! The comparator of the hosted system's clock.

use crate::world::Device;
use drivers_arm_timer::Comparator;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Raises its line at a tick; `u64::MAX`: never.
#[derive(Debug)]
pub struct Alarm(AtomicU64);

impl Default for Alarm {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Alarm {
    /// Sets the tick.
    pub fn set(&self, tick: Option<u64>) {
        self.0.store(tick.unwrap_or(u64::MAX), Relaxed);
    }
}

impl Device for Alarm {
    fn line(&self, now: u64) -> bool {
        self.0.load(Relaxed) <= now
    }
    fn next(&self) -> Option<u64> {
        Some(self.0.load(Relaxed)).filter(|tick| *tick != u64::MAX)
    }
}

/// The alarm as the timer's driver sees it.
pub struct AlarmComparator(pub Arc<Alarm>);

impl Comparator for AlarmComparator {
    fn arm(&mut self, tick: u64) {
        self.0.set(Some(tick));
    }
    fn disarm(&mut self) {
        self.0.set(None);
    }
}
