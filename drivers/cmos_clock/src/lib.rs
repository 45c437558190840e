//! The clock of a PC's CMOS memory (Motorola MC146818): date and time, read as seconds since 1970.
//!
//! One design rule: the clock is only read, and twice, until both readings agree: it may change in between.
//!
//! Limits: years 2000 to 2099; the machine keeps UTC, or the seconds are those of its local time.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(test)]
mod tests;

use memory_mmio::Ports;

const INDEX: u16 = 0;
const DATA: u16 = 1;

const SECOND: u32 = 0;
const MINUTE: u32 = 2;
const HOUR: u32 = 4;
const DAY: u32 = 7;
const MONTH: u32 = 8;
const YEAR: u32 = 9;
const STATUS_A: u32 = 10;
const STATUS_B: u32 = 11;

const UPDATING: u32 = 1 << 7;
const BINARY: u32 = 1 << 2;
const DAY_HOURS: u32 = 1 << 1;
const AFTERNOON: u32 = 1 << 7;
/// Readings before the clock is taken to be broken.
const TRIES: usize = 1_000;

/// The clock.
#[derive(Debug)]
pub struct CmosClock<P> {
    ports: P,
}

impl<P: Ports> CmosClock<P> {
    /// The clock behind ports 0x70 and 0x71.
    pub fn new(ports: P) -> Self {
        Self { ports }
    }

    fn register(&mut self, index: u32) -> u32 {
        self.ports.write(INDEX, 1, index);
        self.ports.read(DATA, 1)
    }

    fn raw(&mut self) -> [u32; 6] {
        [SECOND, MINUTE, HOUR, DAY, MONTH, YEAR].map(|index| self.register(index))
    }

    /// Seconds since 1970; 0 where the clock does not answer sensibly.
    pub fn seconds(&mut self) -> u64 {
        for _ in 0..TRIES {
            if self.register(STATUS_A) & UPDATING != 0 {
                continue;
            }
            let reading = self.raw();
            if reading == self.raw() {
                let format = self.register(STATUS_B);
                return since_1970(reading, format).unwrap_or(0);
            }
        }
        0
    }
}

fn since_1970(raw: [u32; 6], format: u32) -> Option<u64> {
    let plain = |value: u32| {
        if format & BINARY != 0 { value } else { (value >> 4) * 10 + (value & 15) }
    };
    let hour = plain(raw[2] & !AFTERNOON);
    let hour = match format & DAY_HOURS != 0 {
        true => plain(raw[2]),
        false => hour % 12 + if raw[2] & AFTERNOON != 0 { 12 } else { 0 },
    };
    let [second, minute, _, day, month, year] = raw.map(plain);
    let sensible = second < 61 && minute < 60 && hour < 24 && (1..=31).contains(&day) && year < 100;
    let days = days(2000 + u64::from(year), u64::from(month), u64::from(day)).filter(|_| sensible)?;
    Some(((days * 24 + u64::from(hour)) * 60 + u64::from(minute)) * 60 + u64::from(second))
}

/// Days since 1970 of a date from 2000 to 2099; in these years every fourth has a 29th of February.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let since = year - 2000;
    let leap = u64::from(since.is_multiple_of(4) && month > 2);
    Some(10_957 + since * 365 + since.div_ceil(4) + before + leap + day - 1)
}
