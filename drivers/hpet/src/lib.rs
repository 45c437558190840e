//! High precision event timer (IA-PC HPET 1.0a): a counter of known rate and one comparator with its interrupt.
//!
//! One design rule: deadlines are ticks of the caller's clock, which runs at a rate that nobody tells; the rate is
//! measured once against this timer's counter ([`Hpet::measure`]) and then used to arm it. The comparator stands in the
//! old 8254 timer's place (legacy replacement), so its line, 2 on every PC, is not shared. Level-triggered: the
//! interrupt stays up until the comparator is armed for later or disarmed, so do either before acknowledging.
//!
//! Limits: comparator 0, 32 bits. A deadline that lies further ahead than that holds interrupts early; who wants it
//! then arms it again.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(test)]
mod tests;

use drivers_arm_timer::Comparator;
use memory_mmio::Registers;

const PERIOD: usize = 0x004;
const CONFIGURATION: usize = 0x010;
const STATUS: usize = 0x020;
const COUNTER: usize = 0x0f0;
const COMPARATOR_CONFIGURATION: usize = 0x100;
const COMPARATOR: usize = 0x108;

/// The counter runs; comparator 0 has line 2.
const RUN: u32 = 1 | 1 << 1;
/// Level-triggered, enabled, 32 bits.
const ON: u32 = 1 << 1 | 1 << 2 | 1 << 8;
/// The longest period that the specification allows, in femtoseconds.
const LONGEST_PERIOD: u32 = 100_000_000;
/// Furthest comparator: a quarter of the counter's range.
const FURTHEST: u64 = 1 << 30;
/// Looks at the clock per moment of a measurement; the tightest counts.
const TRIES: usize = 8;

/// The timer. `clock` reads the caller's clock.
#[derive(Debug)]
pub struct Hpet<R, C> {
    registers: R,
    clock: C,
    hertz: u64,
    /// Ticks of the caller's clock per second.
    rate: u64,
}

impl<R: Registers, C: FnMut() -> u64> Hpet<R, C> {
    /// Starts the counter and measures the clock for 2 ms; `None` where no such timer answers.
    pub fn new(mut registers: R, clock: C) -> Option<Self> {
        let period = registers.read(PERIOD);
        if period == 0 || period > LONGEST_PERIOD {
            return None;
        }
        registers.write(CONFIGURATION, RUN);
        let hertz = 1_000_000_000_000_000 / u64::from(period);
        let mut timer = Self { registers, clock, hertz, rate: 0 };
        timer.disarm();
        timer.rate = timer.measure(hertz / 500);
        Some(timer)
    }

    /// Ticks of the clock per second, as measured.
    pub fn clock_rate(&self) -> u64 {
        self.rate
    }

    /// Measures the clock for `span` ticks of the counter. A stopped counter ends it, with a rate that means nothing.
    fn measure(&mut self, span: u64) -> u64 {
        let (start, from) = self.moment();
        for _ in 0..100_000_000_u64 {
            if u64::from(self.registers.read(COUNTER).wrapping_sub(from)) >= span {
                break;
            }
        }
        let (end, to) = self.moment();
        let (clock, ticks) = (end.saturating_sub(start), u64::from(to.wrapping_sub(from)).max(1));
        (u128::from(clock) * u128::from(self.hertz) / u128::from(ticks)).max(1) as u64
    }

    /// Clock and counter at one moment: the counter is read between two looks at the clock.
    fn moment(&mut self) -> (u64, u32) {
        let mut best = (u64::MAX, 0, 0);
        for _ in 0..TRIES {
            let before = (self.clock)();
            let count = self.registers.read(COUNTER);
            let width = (self.clock)().saturating_sub(before);
            if width < best.0 {
                best = (width, before + width / 2, count);
            }
        }
        (best.1, best.2)
    }

    /// Ticks of the counter until `tick` of the clock, rounded up so that no interrupt is early.
    fn until(&mut self, tick: u64) -> u64 {
        let left = tick.saturating_sub((self.clock)());
        let ticks = u128::from(left) * u128::from(self.hertz) / u128::from(self.rate.max(1)) + 1;
        ticks.min(FURTHEST.into()) as u64
    }
}

impl<R: Registers, C: FnMut() -> u64> Comparator for Hpet<R, C> {
    fn arm(&mut self, tick: u64) {
        let mut ticks = self.until(tick) as u32;
        self.registers.write(STATUS, 1);
        loop {
            let target = self.registers.read(COUNTER).wrapping_add(ticks);
            self.registers.write(COMPARATOR, target);
            // Only now, because a stale comparator would fire.
            self.registers.write(COMPARATOR_CONFIGURATION, ON);
            // The counter may have passed a close target before it was written; it would then fire a whole turn late.
            if (target.wrapping_sub(self.registers.read(COUNTER)) as i32) > 0
                || self.registers.read(STATUS) & 1 != 0
                || u64::from(ticks) >= FURTHEST
            {
                return;
            }
            ticks = ticks.saturating_mul(2);
        }
    }

    fn disarm(&mut self) {
        self.registers.write(COMPARATOR_CONFIGURATION, 0);
        self.registers.write(STATUS, 1);
    }
}
