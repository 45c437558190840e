//! A person at the terminal of a hosted system, who reads what is shown before typing on.

use crate::parts::alarm::Alarm;
use crate::parts::disk::Disk;
use crate::parts::terminal::Screen;
use crate::parts::{self, real};
use crate::{System, description};
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
    /// Starts the whole system on a disk image; `embedding`: bytes of the embedding model's region.
    pub fn start(seed: u64, image: &[u8], embedding: u64) -> (Self, Arc<Disk>) {
        let small = [("weights", 4 << 20), ("compute_kv_cache", 4 << 20), ("embedding_weights", embedding)];
        let system = System::new(description(1, &small), seed);
        let disk = Arc::new(Disk::new(image, seed));
        (Self::boot(system, Some(disk.clone()), 1, 24 << 20), disk)
    }

    /// Starts every part in a system of so many cores; `retriever`: bytes of the retriever's heap.
    pub fn boot(mut system: System, disk: Option<Arc<Disk>>, cores: u8, retriever: usize) -> Self {
        let (screen, alarm) = (Arc::new(Screen::default()), Arc::new(Alarm::default()));
        system.attach("timer", 32, alarm.clone());
        system.attach("console", 30, screen.clone());
        if let Some(disk) = &disk {
            system.attach("storage", 31, disk.clone());
        }
        system.start("supervisor", parts::supervisor());
        system.start("timer", real::timer(alarm));
        system.start("console", real::console(screen.clone()));
        system.start("session", real::session());
        system.start("loader", real::loader());
        system.start("storage", real::storage(disk));
        system.start("compute", real::compute());
        for number in 1..cores {
            system.start(&format!("compute_{number}"), real::compute());
        }
        system.start("retriever", real::retriever(retriever));
        system.start("trainer", real::trainer(24 << 20));
        Self::new(system, screen)
    }

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
