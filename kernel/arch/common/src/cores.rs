//! How many cores run, and which of them are in the kernel.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use kernel_core::MAX_CORES;

/// Cores that run, once all are up; 1 until then.
static COUNT: AtomicU8 = AtomicU8::new(1);

/// Which cores are in the kernel with their thread's registers saved.
static IN_KERNEL: [AtomicBool; MAX_CORES] = [const { AtomicBool::new(true) }; MAX_CORES];

/// Says how many cores run, once all are up.
pub fn set_count(cores: usize) {
    COUNT.store(cores as u8, Ordering::Relaxed);
}

/// Whether more than one core runs. A thread that leaves a core may then go on on another one.
#[inline(always)]
pub fn are_several() -> bool {
    COUNT.load(Ordering::Relaxed) > 1
}

/// Whether a core is in the kernel, all registers of its thread saved. Pairs with [`entered`].
pub fn in_kernel(core: usize) -> bool {
    IN_KERNEL[core & (MAX_CORES - 1)].load(Ordering::Acquire)
}

/// The registers of this core's thread are saved.
#[inline(always)]
pub(crate) fn entered(core: usize) {
    if are_several() {
        IN_KERNEL[core & (MAX_CORES - 1)].store(true, Ordering::Release);
    }
}

/// Before the lock is free: whoever takes it next must not believe this core to be in the kernel.
#[inline(always)]
pub(crate) fn left(core: usize) {
    if are_several() {
        IN_KERNEL[core & (MAX_CORES - 1)].store(false, Ordering::Release);
    }
}
