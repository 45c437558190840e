//! The registers, as EL0 sees them.

use crate::Comparator;
use core::arch::asm;

const ENABLE: u64 = 1;

/// This core's physical timer. Using it where EL0 has no access to it ends in a fault, not in undefined behaviour.
#[derive(Debug)]
pub struct PhysicalTimer(());

impl PhysicalTimer {
    /// The timer, disarmed; every such processor has it.
    pub fn find() -> Option<Self> {
        Some(Self::new())
    }

    /// Takes the timer, disarmed.
    pub fn new() -> Self {
        let mut timer = Self(());
        timer.disarm();
        timer
    }
}

impl Default for PhysicalTimer {
    fn default() -> Self {
        Self::new()
    }
}

fn control(value: u64) {
    // SAFETY: the register only decides whether the timer raises its interrupt; no memory is involved.
    unsafe { asm!("msr cntp_ctl_el0, {}", "isb", in(reg) value, options(nomem, nostack, preserves_flags)) }
}

impl Comparator for PhysicalTimer {
    fn arm(&mut self, tick: u64) {
        // SAFETY: as for `control`: a comparator value touches no memory.
        unsafe { asm!("msr cntp_cval_el0, {}", in(reg) tick, options(nomem, nostack, preserves_flags)) }
        control(ENABLE);
    }
    fn disarm(&mut self) {
        control(0);
    }
}
