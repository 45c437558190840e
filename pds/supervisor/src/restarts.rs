//! How often and how soon a child is restarted.
//!
//! One design rule: a child that faults again and again costs the others nothing: at most [`LIMIT`] restarts in
//! [`WINDOW_MS`], each after twice the delay of the one before, then it stays stopped until a person asks.

use heapless::Vec;

/// Restarts within the window.
pub const LIMIT: usize = 5;
/// Length of the window in milliseconds.
pub const WINDOW_MS: u64 = 60_000;
/// Delay before the second restart in a window; the first is immediate.
pub const FIRST_DELAY_MS: u64 = 100;

/// The restarts of one child that still count, in milliseconds of the counter.
#[derive(Debug, Default)]
pub struct Restarts {
    recent: Vec<u64, LIMIT>,
}

impl Restarts {
    /// Counts a restart at `now_ms` and says after how many milliseconds it may happen; `None`: never.
    pub fn next(&mut self, now_ms: u64) -> Option<u64> {
        self.recent.retain(|then| now_ms.saturating_sub(*then) < WINDOW_MS);
        let before = self.recent.len();
        self.recent.push(now_ms).ok()?;
        Some(before.checked_sub(1).map_or(0, |doublings| FIRST_DELAY_MS << doublings))
    }

    /// Forgets the past: a person asked for a restart.
    pub fn forgive(&mut self) {
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_until_the_limit() {
        let mut restarts = Restarts::default();
        let delays: std::vec::Vec<_> = (0..6).map(|i| restarts.next(i * 10)).collect();
        assert_eq!(delays, [Some(0), Some(100), Some(200), Some(400), Some(800), None]);
        assert_eq!(restarts.next(30_000), None, "still within the window");
        assert!(restarts.next(WINDOW_MS + 50).is_some(), "old restarts stop counting");
    }

    #[test]
    fn a_person_may_start_afresh() {
        let mut restarts = Restarts::default();
        while restarts.next(0).is_some() {}
        restarts.forgive();
        assert_eq!(restarts.next(0), Some(0));
    }
}
