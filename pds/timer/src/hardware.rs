//! Whatever of a board's timers and clocks the system description gives the PD.

use drivers_arm_timer::{Comparator, PhysicalTimer};
use drivers_cmos_clock::CmosClock;
use drivers_hpet::Hpet;
use drivers_pl031::Pl031;
use ipc_pd::clock;
use memory_mmio::{Ports, Registers};

/// Tells the time of day.
pub trait WallClock {
    /// Seconds since 1970; 0 where it is not known.
    fn seconds(&mut self) -> u64;
}

impl<R: Registers> WallClock for Pl031<R> {
    fn seconds(&mut self) -> u64 {
        Pl031::seconds(self)
    }
}

/// A clock of one kind or the other.
pub enum AnyClock<R, P> {
    /// By registers.
    Pl031(Pl031<R>),
    /// By I/O ports.
    Cmos(CmosClock<P>),
}

impl<R: Registers, P: Ports> WallClock for AnyClock<R, P> {
    fn seconds(&mut self) -> u64 {
        match self {
            Self::Pl031(clock) => clock.seconds(),
            Self::Cmos(clock) => clock.seconds(),
        }
    }
}

/// The clock, where there is one.
pub fn find_clock<R: Registers, P: Ports>(registers: Option<R>, ports: Option<P>) -> Option<AnyClock<R, P>> {
    let by_registers = registers.map(|registers| AnyClock::Pl031(Pl031::new(registers)));
    by_registers.or_else(|| ports.map(|ports| AnyClock::Cmos(CmosClock::new(ports))))
}

/// A timer of one kind or the other; without one no timeout ever ends.
pub enum AnyTimer<R> {
    /// In the processor.
    Processor(PhysicalTimer),
    /// By registers.
    Hpet(Hpet<R, fn() -> u64>),
    /// None.
    Missing,
}

/// The timer, where there is one. One by registers also tells how fast the clock runs, and all PDs are told.
pub fn find_timer<R: Registers>(registers: Option<R>) -> AnyTimer<R> {
    let ticks: fn() -> u64 = clock::ticks;
    if let Some(timer) = registers.and_then(|registers| Hpet::new(registers, ticks)) {
        clock::publish(timer.clock_rate());
        return AnyTimer::Hpet(timer);
    }
    PhysicalTimer::find().map_or(AnyTimer::Missing, AnyTimer::Processor)
}

impl<R: Registers> Comparator for AnyTimer<R> {
    fn arm(&mut self, tick: u64) {
        match self {
            Self::Processor(timer) => timer.arm(tick),
            Self::Hpet(timer) => timer.arm(tick),
            Self::Missing => {}
        }
    }
    fn disarm(&mut self) {
        match self {
            Self::Processor(timer) => timer.disarm(),
            Self::Hpet(timer) => timer.disarm(),
            Self::Missing => {}
        }
    }
}
