// SPDX-License-Identifier: MIT
//! The lines that were entered, to be called up again.
//!
//! One design rule: bounded; the oldest lines make room for new ones.
//!
//! Limits: single lines of at most [`LONGEST`] bytes, [`BYTES`] in all.

/// Bytes kept.
pub const BYTES: usize = 8 * 1024;
/// Lines kept.
pub const LINES: usize = 64;
/// Longest line that is kept.
pub const LONGEST: usize = 2048;

/// Lines entered, and which of them is shown.
#[derive(Debug)]
pub struct History {
    bytes: heapless::Vec<u8, BYTES>,
    lengths: heapless::Deque<u16, LINES>,
    /// How many lines back; 0 is the line being written.
    back: usize,
    kept: bool,
}

impl Default for History {
    fn default() -> Self {
        Self { bytes: heapless::Vec::new(), lengths: heapless::Deque::new(), back: 0, kept: true }
    }
}

impl History {
    /// Switches remembering on or off; off forgets what there is.
    pub fn keep(&mut self, kept: bool) {
        *self = Self { kept, ..Self::default() };
    }

    /// Forgets all lines and overwrites them.
    pub fn erase(&mut self) {
        self.bytes.clear();
        crate::scrub::bytes(&mut self.bytes);
        (self.back, self.lengths) = (0, heapless::Deque::new());
    }

    /// Remembers a line, unless it is empty, long, of several lines, or the same as the last one.
    pub fn push(&mut self, line: &str) {
        self.back = 0;
        let wanted = self.kept && !line.trim().is_empty() && line.len() <= LONGEST && !line.contains('\n');
        if !wanted || self.line(1) == Some(line) {
            return;
        }
        while self.bytes.len() + line.len() > BYTES || self.lengths.is_full() {
            self.forget_oldest();
        }
        if self.bytes.extend_from_slice(line.as_bytes()).is_ok() {
            self.lengths.push_back(line.len() as u16).ok();
        }
    }

    fn forget_oldest(&mut self) {
        let length = usize::from(self.lengths.pop_front().unwrap_or(0)).min(self.bytes.len());
        self.bytes.rotate_left(length);
        self.bytes.truncate(self.bytes.len() - length);
    }

    /// The line entered `back` lines ago, 1 being the last one.
    fn line(&self, back: usize) -> Option<&str> {
        let newer: usize =
            self.lengths.iter().rev().take(back.checked_sub(1)?).map(|l| usize::from(*l)).sum();
        let length = usize::from(*self.lengths.iter().rev().nth(back - 1)?);
        let end = self.bytes.len().checked_sub(newer)?;
        core::str::from_utf8(self.bytes.get(end.checked_sub(length)?..end)?).ok()
    }

    /// Whether the line being written is shown.
    pub fn at_newest(&self) -> bool {
        self.back == 0
    }

    /// Goes to an older line.
    pub fn older(&mut self) -> Option<&str> {
        if self.back >= self.lengths.len() {
            return None;
        }
        self.back += 1;
        self.line(self.back)
    }

    /// Goes to a newer line; `None` when that is the line being written.
    pub fn newer(&mut self) -> Option<&str> {
        self.back = self.back.saturating_sub(1);
        self.line(self.back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn lines_come_back_newest_first() {
        let mut history = History::default();
        ["one", "two", "two", " ", "a\nb"].iter().for_each(|line| history.push(line));
        assert_eq!(history.older(), Some("two"));
        assert_eq!(history.older(), Some("one"));
        assert_eq!(history.older(), None);
        assert_eq!(history.newer(), Some("two"));
        assert_eq!(history.newer(), None);
        assert!(history.at_newest());
    }

    #[test]
    fn the_oldest_make_room() {
        let mut history = History::default();
        (0..100).for_each(|i| history.push(&i.to_string()));
        let all: std::vec::Vec<String> = core::iter::from_fn(|| history.older().map(String::from)).collect();
        assert_eq!((all.len(), all[0].as_str(), all[LINES - 1].as_str()), (LINES, "99", "36"));
        let long = "x".repeat(LONGEST - 1);
        (0..9).for_each(|i| history.push(&(long.clone() + &i.to_string())));
        assert!(history.older().is_some_and(|line| line.ends_with('8')));
        assert_eq!(core::iter::from_fn(|| history.older().map(|_| ())).count(), 3);
    }

    #[test]
    fn switched_off_it_forgets() {
        let mut history = History::default();
        history.push("secret");
        history.keep(false);
        history.push("more");
        assert_eq!(history.older(), None);
    }
}
