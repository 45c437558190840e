// SPDX-License-Identifier: MIT
//! Stop strings: texts at which an answer ends.
//!
//! One design rule: text that may become a stop string is held back, so that no part of one is ever shown.

use alloc::string::String;
use alloc::vec::Vec;

/// Most stop strings.
pub const MOST: usize = 4;

/// What may be shown of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The first so many bytes; the rest may become a stop string.
    UpTo(usize),
    /// The first so many bytes; then a stop string follows.
    StopsAt(usize),
}

/// Texts at which an answer ends.
#[derive(Clone, Debug, Default)]
pub struct Stops(Vec<String>);

impl Stops {
    /// The texts.
    pub fn texts(&self) -> &[String] {
        &self.0
    }

    /// Adds one; whether there was room.
    pub fn add(&mut self, text: &str) -> bool {
        let room = self.0.len() < MOST;
        if room && !self.0.iter().any(|known| known == text) {
            self.0.push(text.into());
        }
        room
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What may be shown of `text`, of which the first `shown` bytes were shown before.
    pub fn check(&self, text: &str, shown: usize) -> Shown {
        let fresh = text.get(shown..).unwrap_or("");
        if let Some(at) = self.0.iter().filter_map(|stop| fresh.find(stop.as_str())).min() {
            return Shown::StopsAt(shown + at);
        }
        let held = self.0.iter().map(|stop| overlap(fresh, stop)).max().unwrap_or(0);
        Shown::UpTo(text.len() - held)
    }
}

/// Length of the longest end of `text` with which `stop` begins.
fn overlap(text: &str, stop: &str) -> usize {
    let ends = stop.char_indices().map(|(at, _)| at);
    ends.filter(|at| *at > 0 && text.ends_with(&stop[..*at])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops(texts: &[&str]) -> Stops {
        Stops(texts.iter().map(|text| String::from(*text)).collect())
    }

    #[test]
    fn a_stop_string_ends_the_text_before_it() {
        assert_eq!(stops(&["The end", "###"]).check("once. ### The end", 0), Shown::StopsAt(6));
        assert_eq!(stops(&["###"]).check("###x", 3), Shown::UpTo(4), "what was shown is not looked at again");
    }

    #[test]
    fn what_may_become_a_stop_string_is_held_back() {
        assert_eq!(stops(&["###"]).check("a##", 0), Shown::UpTo(1));
        assert_eq!(stops(&["###", "a##b"]).check("a##", 0), Shown::UpTo(0));
        assert_eq!(stops(&["é!"]).check("caf\u{e9}", 0), Shown::UpTo(3));
        assert_eq!(stops(&[]).check("abc", 1), Shown::UpTo(3));
    }

    #[test]
    fn there_are_few_of_them() {
        let mut stops = Stops::default();
        assert!((0..MOST).all(|i| stops.add(&"x".repeat(i + 1))));
        assert!(!stops.add("y"));
        stops.clear();
        assert!(stops.texts().is_empty());
    }
}
