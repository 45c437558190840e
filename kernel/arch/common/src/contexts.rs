//! The saved registers of all threads.

use core::cell::UnsafeCell;
use kernel_core::{Id, OBJECTS};

/// One context per thread. It belongs to the core that executes the thread, otherwise to the holder of the kernel lock.
pub struct Contexts<C>(UnsafeCell<[C; OBJECTS]>);

// SAFETY: the rule above; `Arch::stall` waits for a core to save its thread before the lock's holder touches it.
unsafe impl<C> Sync for Contexts<C> {}

impl<C: Copy> Contexts<C> {
    /// All the same; zero them, so that the table stands in `.bss`.
    pub const fn new(context: C) -> Self {
        Self(UnsafeCell::new([context; OBJECTS]))
    }

    /// Where a thread's context lies.
    #[inline(always)]
    pub fn pointer(&self, id: Id) -> *mut C {
        // SAFETY: a slot is below `OBJECTS`.
        unsafe { self.0.get().cast::<C>().add(id.slot()) }
    }
}
