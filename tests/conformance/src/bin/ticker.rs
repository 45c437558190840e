//! Owns the physical timer: sets it, waits for its interrupt, acknowledges, twenty times.
#![no_std]
#![no_main]

use core::arch::asm;
use core::convert::Infallible;
use ipc_pd::{Channel, ChannelSet, Handler, clock};
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

const TIMER: Channel = Channel::new(32);
const PERIOD_US: u64 = 2_000;

struct Ticker {
    due: u64,
    early: u32,
    count: u32,
}

fn init() -> Ticker {
    let mut ticker = Ticker { due: clock::ticks(), early: 0, count: 0 };
    ticker.set();
    ticker
}

impl Ticker {
    fn set(&mut self) {
        self.due = clock::ticks() + clock::from_micros(PERIOD_US);
        // SAFETY: the kernel gives this PD the physical timer with its interrupt.
        unsafe { asm!("msr cntp_cval_el0, {}", "msr cntp_ctl_el0, {}", in(reg) self.due, in(reg) 1u64) };
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
            // SAFETY: as in `set`.
            unsafe { asm!("msr cntp_ctl_el0, {}", in(reg) 0u64) };
            report("twenty timer interrupts, none early", self.early == 0);
        }
        TIMER.irq_ack();
        Ok(())
    }
}
