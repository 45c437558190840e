// SPDX-License-Identifier: MIT
//! Episodes: what happened on the machine, one line each, found again by meaning and recency.
use alloc::format;
use alloc::string::String;

use crate::record::EventKind;

/// Longest line of an episode, in bytes.
pub const LONGEST: usize = 240;

/// Something worth remembering, as the system reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The system started.
    Boot { version: &'a str },
    /// A protection domain faulted.
    Fault { pd: &'a str, cause: &'a str },
    /// A protection domain was restarted.
    Restart { pd: &'a str },
    /// A model became the current one.
    ModelLoaded { model: &'a str },
    /// A model could not be loaded.
    ModelFailed { model: &'a str, reason: &'a str },
    /// A command was given.
    Command { line: &'a str },
    /// A question and its answer.
    Conversation { question: &'a str, answer: &'a str },
    /// A document was taken in.
    Document { path: &'a str, passages: usize },
    /// A document was removed.
    DocumentRemoved { path: &'a str },
    /// The store found acknowledged data missing.
    StorageDamage { missing: u64 },
}

impl Event<'_> {
    /// What kind it is.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Boot { .. } => EventKind::Boot,
            Self::Fault { .. } => EventKind::Fault,
            Self::Restart { .. } => EventKind::Restart,
            Self::ModelLoaded { .. } | Self::ModelFailed { .. } => EventKind::Model,
            Self::Command { .. } => EventKind::Command,
            Self::Conversation { .. } => EventKind::Conversation,
            Self::Document { .. } | Self::DocumentRemoved { .. } => EventKind::Documents,
            Self::StorageDamage { .. } => EventKind::Storage,
        }
    }

    /// The event in one line.
    pub fn summary(&self) -> String {
        let line = match self {
            Self::Boot { version } => format!("system booted, version {version}"),
            Self::Fault { pd, cause } => format!("{pd} faulted: {cause}"),
            Self::Restart { pd } => format!("{pd} was restarted"),
            Self::ModelLoaded { model } => format!("model {model} loaded"),
            Self::ModelFailed { model, reason } => format!("model {model} could not be loaded: {reason}"),
            Self::Command { line } => format!("command given: {line}"),
            Self::Conversation { question, answer } => {
                format!(
                    "user asked: {} | answer: {}",
                    first_sentence(question, 110),
                    first_sentence(answer, 110)
                )
            }
            Self::Document { path, passages } => format!("document {path} added, {passages} passages"),
            Self::DocumentRemoved { path } => format!("document {path} removed"),
            Self::StorageDamage { missing } => format!("disk lost {missing} acknowledged writes"),
        };
        one_line(&line, LONGEST)
    }
}

/// Text without control characters and runs of blanks, at most `longest` bytes.
fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.len() + c.len_utf8() > longest.saturating_sub(3) {
                line.push('…');
                return line;
            }
            line.push(c);
        }
    }
    line
}

/// The first sentence, in one line of at most `longest` bytes.
fn first_sentence(text: &str, longest: usize) -> String {
    let line = one_line(text, 4 * longest);
    let end = ['.', '?', '!'].into_iter().filter_map(|mark| line.find(&format!("{mark} "))).min();
    one_line(&line[..end.map_or(line.len(), |end| end + 1)], longest)
}

/// A question with one of these words asks for what happened.
const ABOUT_EVENTS: [&str; 12] = [
    "happen",
    "happened",
    "last",
    "when",
    "yesterday",
    "today",
    "crash",
    "crashed",
    "fault",
    "faulted",
    "restarted",
    "history",
];

/// Whether a question asks for what happened on the machine.
pub fn is_about_events(question: &str) -> bool {
    let mut words = question.split(|c: char| !c.is_alphanumeric());
    words.any(|word| ABOUT_EVENTS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// How much age takes from an episode's rank.
#[derive(Clone, Copy, Debug)]
pub struct Recency {
    /// After this many seconds the part that fades has halved.
    pub half_life: u64,
    /// What never fades, 0 to 1: old but fitting episodes stay findable.
    pub floor: f32,
}

impl Default for Recency {
    fn default() -> Self {
        Self { half_life: 7 * 86_400, floor: 0.4 }
    }
}

impl Recency {
    /// The factor for an episode of `time` at `now`: 1 when fresh, the floor when old or without a clock.
    pub fn factor(&self, time: u64, now: u64) -> f32 {
        if time == 0 {
            return self.floor;
        }
        let age = now.saturating_sub(time) as f32 / self.half_life.max(1) as f32;
        self.floor + (1.0 - self.floor) * libm::exp2f(-age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_one_line() {
        let event = Event::Conversation {
            question: "Why?\n\nTell me. Now.",
            answer: "Because of\tthe timer. And more.",
        };
        assert_eq!(event.summary(), "user asked: Why? | answer: Because of the timer.");
        let long = "x".repeat(10_000);
        assert!(Event::Command { line: &long }.summary().len() <= LONGEST);
        assert_eq!(Event::Command { line: "a\u{1b}[2Jb" }.summary(), "command given: a [2Jb");
    }

    #[test]
    fn fresh_episodes_count_more() {
        let recency = Recency::default();
        let day = 86_400;
        assert_eq!(recency.factor(100 * day, 100 * day), 1.0);
        assert!((recency.factor(93 * day, 100 * day) - 0.7).abs() < 1e-6);
        assert!(recency.factor(day, 5000 * day) < 0.401);
        assert_eq!(recency.factor(0, 100 * day), 0.4);
        assert_eq!(recency.factor(200 * day, 100 * day), 1.0);
    }
}
