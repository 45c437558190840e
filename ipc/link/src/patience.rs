// SPDX-License-Identifier: MIT
//! A limit to waiting.

use ipc_pd::{Channel, MessageInfo, clock, set_mr};
use ipc_protocol::timer::SET_TIMEOUT;

/// A limit to waiting, kept with the timer's help.
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

    /// Whether it is over. `signalled`: the timer has signalled, or may have forgotten us because it restarted.
    pub fn is_over(&mut self, signalled: bool) -> bool {
        self.armed &= !signalled;
        match self.deadline {
            Some(deadline) if clock::ticks() >= deadline => {
                self.deadline = None;
                true
            }
            Some(_) if !self.armed => {
                self.arm();
                false
            }
            _ => false,
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
