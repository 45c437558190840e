//! The physical timer of the ARM generic timer, one comparator per core.
//!
//! One design rule: a comparator is armed for an absolute tick of the counter that `ipc_pd::clock` reads; its
//! interrupt (level, 30 on GICs of most boards) stays up until it is armed for later or disarmed, so do either
//! before acknowledging. Source: ARM DDI 0487, D12.
//!
//! Limits: EL0 must be allowed `CNTP_*` (seL4's `KernelArmExportPTMRUser`, our kernel's default). On other instruction
//! sets there is no such timer: [`PhysicalTimer::find`] finds none.
#![no_std]

mod arch;

pub use arch::PhysicalTimer;

/// Raises an interrupt at a tick.
pub trait Comparator {
    /// Raises the interrupt when the counter reaches `tick`, at once where it has.
    fn arm(&mut self, tick: u64);
    /// Raises no interrupt.
    fn disarm(&mut self);
}

/// A comparator whose owner looks at it: for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fake {
    /// The tick it is armed for.
    pub armed: Option<u64>,
}

impl Comparator for Fake {
    fn arm(&mut self, tick: u64) {
        self.armed = Some(tick);
    }
    fn disarm(&mut self) {
        self.armed = None;
    }
}
