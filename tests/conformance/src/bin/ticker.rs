//! Owns a timer: sets it, waits for its interrupt, acknowledges, twenty times.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::{Channel, ChannelSet, Handler, clock};
use tests_conformance::arch;
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

const TIMER: Channel = Channel::new(32);
const PERIOD_US: u64 = 2_000;

struct Ticker {
    timer: Option<arch::Timer>,
    due: u64,
    early: u32,
    count: u32,
}

fn init() -> Ticker {
    let mut ticker = Ticker { timer: arch::Timer::new(), due: 0, early: 0, count: 0 };
    ticker.set();
    ticker
}

impl Ticker {
    fn set(&mut self) {
        self.due = self.timer.as_mut().map_or(u64::MAX, |timer| timer.set(PERIOD_US));
    }

    fn stop(&mut self) {
        if let Some(timer) = &mut self.timer {
            timer.stop();
        }
    }
}

impl Handler for Ticker {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if !channels.contains(TIMER) {
            return Ok(());
        }
        self.count += 1;
        self.early += u32::from(clock::ticks() < self.due);
        if self.count < 20 {
            self.set();
        } else {
            self.stop();
            report("twenty timer interrupts, none early", self.early == 0);
        }
        TIMER.irq_ack();
        Ok(())
    }
}
