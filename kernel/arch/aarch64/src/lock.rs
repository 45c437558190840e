//! The one lock over the kernel. Not taken while one core runs alone.
//!
//! One design rule: whoever sees it free may take it. A queue of waiters would be fairer, but where cores are threads
//! of an emulator on fewer real cores it hands the lock to one that is not running (measured: a hundred times slower).

use crate::machine::Machine;
use crate::percpu::CORES;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel_core::Kernel;

struct Locked {
    taken: AtomicBool,
    kernel: UnsafeCell<Kernel<Machine>>,
}

// SAFETY: `kernel` is reached through `Guard` only, which `taken` gives to one core at a time.
unsafe impl Sync for Locked {}

static LOCKED: Locked =
    Locked { taken: AtomicBool::new(false), kernel: UnsafeCell::new(Kernel::new(Machine::NEW)) };

/// Exclusive use of the kernel.
pub(crate) struct Guard {
    locked: bool,
}

/// Takes the lock. Interrupts are masked whenever the kernel runs, so its holder is never interrupted.
#[inline(always)]
pub(crate) fn lock() -> Guard {
    let locked = CORES.load(Ordering::Relaxed) > 1;
    if locked {
        while LOCKED.taken.swap(true, Ordering::Acquire) {
            while LOCKED.taken.load(Ordering::Relaxed) {
                crate::registers::relax();
            }
        }
    }
    Guard { locked }
}

impl Guard {
    /// The kernel.
    #[inline(always)]
    pub fn kernel(&mut self) -> &mut Kernel<Machine> {
        // SAFETY: this guard is the only one, by `taken` or because no other core runs.
        unsafe { &mut *LOCKED.kernel.get() }
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        if self.locked {
            LOCKED.taken.store(false, Ordering::Release);
        }
    }
}
