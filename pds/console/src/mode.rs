// SPDX-License-Identifier: MIT
//! What the console is doing, and how long it waits for others.

use ipc_pd::{Channel, MessageInfo, clock, set_mr};
use ipc_protocol::timer::SET_TIMEOUT;

/// What the console is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Waits for the facts of the banner.
    Starting,
    /// The user edits a line.
    Editing,
    /// Session works on a request.
    Session(Request),
    /// The supervisor describes the servers.
    Status,
    /// The supervisor restarts or stops a server.
    Control,
    /// The supervisor stops the system.
    Leaving,
}

/// A request that session works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: u32,
    /// Tick at which it began.
    pub since: u64,
    /// Whether the user wants it to stop.
    pub cancelled: bool,
}

/// A limit to waiting.
#[derive(Debug)]
pub struct Patience {
    timer: Channel,
    deadline: Option<u64>,
    armed: bool,
}

impl Patience {
    /// Nothing is waited for; `timer` is the channel to the timer.
    pub fn new(timer: Channel) -> Self {
        Self { timer, deadline: None, armed: false }
    }

    /// Waits at most so many seconds from now on.
    pub fn start(&mut self, seconds: u64) {
        self.deadline = Some(clock::ticks() + clock::from_micros(seconds * 1_000_000));
        if !self.armed {
            self.arm();
        }
    }

    /// Waits no more.
    pub fn stop(&mut self) {
        self.deadline = None;
    }

    /// Whether it is over; called when the timer signals, which may be early.
    pub fn is_over(&mut self) -> bool {
        self.armed = false;
        match self.deadline {
            None => false,
            Some(deadline) if clock::ticks() >= deadline => {
                self.deadline = None;
                true
            }
            Some(_) => {
                self.arm();
                false
            }
        }
    }

    fn arm(&mut self) {
        let Some(deadline) = self.deadline else { return };
        let wait = clock::to_micros(deadline.saturating_sub(clock::ticks())).max(1_000);
        set_mr(0, wait);
        self.timer.pp_call(MessageInfo::new(SET_TIMEOUT, 1));
        self.armed = true;
    }
}
