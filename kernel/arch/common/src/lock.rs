//! The one lock over the kernel. Not taken while one core runs alone.
//!
//! One design rule: whoever sees it free may take it. A queue of waiters would be fairer, but where cores are threads
//! of an emulator on fewer real cores it hands the lock to one that is not running (measured: a hundred times slower).

use crate::{Isa, are_several};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel_core::Kernel;

/// A kernel and its lock.
pub struct Locked<M> {
    taken: AtomicBool,
    kernel: UnsafeCell<Kernel<M>>,
}

// SAFETY: `kernel` is reached through `Guard` only, which `taken` gives to one core at a time.
unsafe impl<M> Sync for Locked<M> {}

impl<M: kernel_core::Arch> Locked<M> {
    /// A kernel that nobody holds.
    pub const fn new(machine: M) -> Self {
        Self { taken: AtomicBool::new(false), kernel: UnsafeCell::new(Kernel::new(machine)) }
    }
}

/// Exclusive use of the kernel.
pub struct Guard<M: Isa> {
    locked: bool,
    kernel: core::marker::PhantomData<&'static M>,
}

/// Takes the lock. Interrupts are masked whenever the kernel runs, so its holder is never interrupted.
#[inline(always)]
pub fn lock<M: Isa>() -> Guard<M> {
    let locked = are_several();
    if locked {
        while M::kernel().taken.swap(true, Ordering::Acquire) {
            while M::kernel().taken.load(Ordering::Relaxed) {
                M::relax();
            }
        }
    }
    Guard { locked, kernel: core::marker::PhantomData }
}

impl<M: Isa> Guard<M> {
    /// The kernel.
    #[inline(always)]
    pub fn kernel(&mut self) -> &mut Kernel<M> {
        // SAFETY: this guard is the only one, by `taken` or because no other core runs.
        unsafe { &mut *M::kernel().kernel.get() }
    }
}

impl<M: Isa> Drop for Guard<M> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.locked {
            M::kernel().taken.store(false, Ordering::Release);
        }
    }
}
