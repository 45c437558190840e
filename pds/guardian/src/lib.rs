//! The guardian: parent of the supervisor, which it restarts when it faults or hangs, and its pulse.
//!
//! One design rule: nothing reaches the guardian but its own time. It has no link and reads no message but a fault's;
//! its turns are counted, not timed: it runs once in each period of its scheduling context and gives up the rest of
//! its budget, so the kernel alone says when. What it signals the supervisor with is therefore the one clock in the system
//! that no other protection domain can stop.
//! Limit: nobody restarts the guardian.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

use core::convert::Infallible;
use core::sync::atomic::Ordering::Relaxed;
use ipc_pd::{Channel, Child, Handler, MessageInfo, get_mr, health};
use ipc_protocol::guardian::{CAUSE, COUNT, HUNG, WORD, WORDS};
use memory_region::Readable;

/// Microseconds from one turn to the next: the period in the system description.
pub const PERIOD_MICROS: u64 = 100_000;
/// Turns without a heartbeat of the supervisor, which is signalled in each, until it counts as hung.
pub const PATIENCE: u32 = 30;
/// Fewest turns between two restarts.
pub const REST: u32 = 10;

const SUPERVISOR: Child = Child::new(0);
const PULSE: Channel = Channel::new(1);

/// See the module's documentation.
pub struct Guardian {
    page: Readable<'static>,
    entry: Option<u64>,
    heartbeat: u64,
    /// Turns since it changed.
    quiet: u32,
    /// Turns since the last restart.
    rested: u32,
    failed: bool,
    restarts: u64,
}

impl Guardian {
    /// `page`: the supervisor's health page.
    pub fn new(page: Readable<'static>) -> Self {
        Self { page, entry: None, heartbeat: 0, quiet: 0, rested: REST, failed: false, restarts: 0 }
    }

    /// Once in each period.
    pub fn turn(&mut self) {
        health::beat();
        PULSE.notify();
        let entry = self.page.load(health::ENTRY, Relaxed);
        self.entry = self.entry.or((entry != 0).then_some(entry));
        self.rested = self.rested.saturating_add(1);
        self.look();
        if self.failed && self.rested > REST {
            self.restart();
        }
    }

    fn look(&mut self) {
        let heartbeat = self.page.load(health::HEARTBEAT, Relaxed);
        let alive = core::mem::replace(&mut self.heartbeat, heartbeat) != heartbeat;
        self.quiet = if alive { 0 } else { self.quiet.saturating_add(1) };
        if self.quiet >= PATIENCE && !self.failed {
            health::gauge(CAUSE, HUNG);
            health::gauge(WORD, u64::from(self.quiet) * PERIOD_MICROS / 1000);
            self.failed = true;
        }
    }

    /// The kernel refuses only a child that does not exist; a supervisor that never ran cannot be restarted.
    fn restart(&mut self) {
        let Some(entry) = self.entry else { return };
        self.restarts += 1;
        health::gauge(COUNT, self.restarts);
        let _ = SUPERVISOR.stop();
        let _ = SUPERVISOR.restart(entry);
        (self.failed, self.quiet, self.rested) = (false, 0, 0);
    }
}

impl Handler for Guardian {
    type Error = Infallible;

    fn fault(&mut self, _: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        health::gauge(CAUSE, message.label());
        for index in 0..WORDS {
            health::gauge(WORD + index, if index < message.count() { get_mr(index) } else { 0 });
        }
        self.failed = true;
        Ok(None)
    }
}
