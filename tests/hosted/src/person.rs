//! A person at the terminal of a hosted system, who reads what is shown before typing on.

use crate::System;
use crate::parts::terminal::Screen;
use std::sync::Arc;

/// Microseconds of the system's time after which a person gives up.
const LIMIT: u64 = 240_000_000;

/// See the module's documentation.
pub struct Person {
    /// The system behind the terminal.
    pub system: System,
    /// What is typed and shown.
    pub screen: Arc<Screen>,
}

impl Person {
    /// Before `screen`, which is attached to `system`.
    pub fn new(system: System, screen: Arc<Screen>) -> Self {
        Self { system, screen }
    }

    /// Waits until `words` are shown after `mark`.
    ///
    /// # Panics
    /// When they are not, or a part of the system panics.
    pub fn wait(&mut self, mark: usize, words: &str) {
        let screen = self.screen.clone();
        let seen = self.system.run_until(LIMIT, |_| screen.since(mark).contains(words));
        self.system.assert_no_panic();
        assert!(seen, "'{words}' was not shown; the screen:\n{}\n{}", screen.shown(), self.system.recent());
    }

    /// Types a line and waits for the next prompt; gives what was shown in between.
    ///
    /// # Panics
    /// When no prompt comes, or a part of the system panics.
    pub fn line(&mut self, line: &str) -> String {
        let mark = self.screen.mark();
        self.screen.type_text(&format!("{line}\r"));
        self.answer(mark, line)
    }

    /// Types lines at once, as a pipe does; gives what was shown between the last of them and the prompt after it.
    ///
    /// # Panics
    /// As [`Person::line`].
    pub fn lines(&mut self, lines: &[&str]) -> String {
        let mark = self.screen.mark();
        lines.iter().for_each(|line| self.screen.type_text(&format!("{line}\r")));
        self.answer(mark, lines.last().copied().unwrap_or_default())
    }

    fn answer(&mut self, mark: usize, line: &str) -> String {
        let answer = |shown: &str| {
            let (_, after) = shown.split_once(&format!("{line}\n"))?;
            after.rsplit_once(">>> ").map(|(answer, _)| answer.to_owned())
        };
        let screen = self.screen.clone();
        let ended = self.system.run_until(LIMIT, |_| answer(&screen.since(mark)).is_some());
        self.system.assert_no_panic();
        assert!(ended, "no prompt after '{line}'; the screen:\n{}\n{}", screen.shown(), self.system.recent());
        answer(&screen.since(mark)).unwrap_or_default()
    }
}
