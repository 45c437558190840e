//! The `timer` PD: timeouts for its clients, and the wall clock.
//!
//! One design rule: a client has one timeout, named by the channel of its protected call and signalled on the same
//! channel. A client that must not call signals instead, which asks for the usual tick. So a client can neither exhaust anything nor touch another one's timeout.
//!
//! Limits: timeouts lie at most [`LONGEST`] microseconds ahead; longer ones are cut to that.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

use core::convert::Infallible;
use drivers_arm_timer::Comparator;
use ipc_pd::{Channel, ChannelSet, Handler, MessageInfo, clock, get_mr, set_mr};
use ipc_protocol::timer::{CANCEL_TIMEOUT, SET_TIMEOUT, TICK_MICROS, UNKNOWN, WALL_CLOCK};

mod hardware;
#[cfg(test)]
mod tests;

pub use hardware::{WallClock, find_clock, find_timer};

/// The interrupt of the comparator.
pub const IRQ: Channel = Channel::new(32);
/// Ten years, in microseconds.
pub const LONGEST: u64 = 10 * 366 * 86_400 * 1_000_000;

const CHANNELS: usize = 62;

/// The PD's state.
pub struct Timer<C, W> {
    comparator: C,
    wall_clock: Option<W>,
    /// Tick at which each channel is signalled.
    deadlines: [Option<u64>; CHANNELS],
}

impl<C: Comparator, W: WallClock> Timer<C, W> {
    /// A timer without timeouts; a board may lack a wall clock.
    pub fn new(mut comparator: C, wall_clock: Option<W>) -> Self {
        comparator.disarm();
        Self { comparator, wall_clock, deadlines: [None; CHANNELS] }
    }

    /// The comparator, for whoever plays the hardware.
    pub fn comparator(&self) -> &C {
        &self.comparator
    }

    fn set(&mut self, channel: Channel, micros: u64) {
        let ticks = clock::from_micros(micros.min(LONGEST));
        self.deadlines[usize::from(channel.id())] = Some(clock::ticks().saturating_add(ticks));
        self.arm();
    }

    fn cancel(&mut self, channel: Channel) {
        self.deadlines[usize::from(channel.id())] = None;
        self.arm();
    }

    fn seconds(&mut self) -> u64 {
        self.wall_clock.as_mut().map_or(0, W::seconds)
    }

    fn arm(&mut self) {
        match self.deadlines.iter().flatten().min() {
            Some(next) => self.comparator.arm(*next),
            None => self.comparator.disarm(),
        }
    }

    fn signal_due(&mut self) {
        let now = clock::ticks();
        for (id, deadline) in (0u8..).zip(self.deadlines.iter_mut()) {
            if deadline.take_if(|tick| *tick <= now).is_some() {
                Channel::new(id).notify();
            }
        }
    }

    fn answer(&mut self, channel: Channel, label: u64) -> MessageInfo {
        match label {
            SET_TIMEOUT => self.set(channel, get_mr(0)),
            CANCEL_TIMEOUT => self.cancel(channel),
            WALL_CLOCK => {
                set_mr(0, self.seconds());
                return MessageInfo::new(0, 1);
            }
            _ => return MessageInfo::new(UNKNOWN, 0),
        }
        MessageInfo::new(0, 0)
    }
}

impl<C: Comparator, W: WallClock> Handler for Timer<C, W> {
    type Error = Infallible;

    /// # Panics
    /// Where the clock page, which this PD alone writes, is not as it was written: a fresh start measures again.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        assert!(clock::stands(), "the clock page is not as it was written");
        for client in channels.iter().filter(|channel| *channel != IRQ) {
            self.set(client, TICK_MICROS);
        }
        self.signal_due();
        self.arm();
        if channels.contains(IRQ) {
            // Armed for later or disarmed by now, so the interrupt is down.
            IRQ.irq_ack();
        }
        Ok(())
    }

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(self.answer(channel, message.label()))
    }
}
