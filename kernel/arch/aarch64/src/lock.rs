//! The one lock over the kernel: a ticket lock, so cores are served in order. Not taken while one core runs alone.

use crate::machine::Machine;
use crate::percpu::CORES;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};
use kernel_core::Kernel;

struct Locked {
    next: AtomicU32,
    serving: AtomicU32,
    kernel: UnsafeCell<Kernel<Machine>>,
}

// SAFETY: `kernel` is reached through `Guard` only, which the ticket lock hands to one core at a time.
unsafe impl Sync for Locked {}

static LOCKED: Locked = Locked {
    next: AtomicU32::new(0),
    serving: AtomicU32::new(0),
    kernel: UnsafeCell::new(Kernel::new(Machine::NEW)),
};

/// Exclusive use of the kernel.
pub(crate) struct Guard {
    locked: bool,
}

/// Takes the lock. Interrupts are masked whenever the kernel runs, so its holder is never interrupted.
#[inline(always)]
pub(crate) fn lock() -> Guard {
    let locked = CORES.load(Ordering::Relaxed) > 1;
    if locked {
        let ticket = LOCKED.next.fetch_add(1, Ordering::Relaxed);
        while LOCKED.serving.load(Ordering::Acquire) != ticket {
            core::hint::spin_loop();
        }
    }
    Guard { locked }
}

impl Guard {
    /// The kernel.
    #[inline(always)]
    pub fn kernel(&mut self) -> &mut Kernel<Machine> {
        // SAFETY: this guard is the only one, by the ticket lock or because no other core runs.
        unsafe { &mut *LOCKED.kernel.get() }
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        if self.locked {
            LOCKED.serving.fetch_add(1, Ordering::Release);
        }
    }
}
