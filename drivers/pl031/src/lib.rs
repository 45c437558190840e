//! ARM PrimeCell real time clock (PL031): seconds since 1970.
//!
//! One design rule: the clock is only read; setting it is the machine's business. Source: ARM DDI 0224C.
//!
//! Limits: 32 bits, so until 2106.
#![no_std]
#![forbid(unsafe_code)]

use memory_mmio::Registers;

const DATA: usize = 0x00;
const CONTROL: usize = 0x0c;

/// A real time clock.
#[derive(Debug)]
pub struct Pl031<R> {
    registers: R,
}

impl<R: Registers> Pl031<R> {
    /// Starts the clock, if it stands.
    pub fn new(mut registers: R) -> Self {
        registers.write(CONTROL, 1);
        Self { registers }
    }

    /// Seconds since 1970, UTC where the machine keeps UTC.
    pub fn seconds(&mut self) -> u64 {
        u64::from(self.registers.read(DATA))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memory_mmio::fake::Fake;

    #[derive(Default)]
    struct Model {
        started: bool,
    }
    impl Registers for Model {
        fn read(&mut self, offset: usize) -> u32 {
            if offset == DATA && self.started { 1_795_212_268 } else { 0 }
        }
        fn write(&mut self, offset: usize, value: u32) {
            self.started |= offset == CONTROL && value == 1;
        }
    }

    #[test]
    fn reads_seconds_of_a_started_clock() {
        assert_eq!(Pl031::new(Fake::new(Model::default())).seconds(), 1_795_212_268);
    }
}
