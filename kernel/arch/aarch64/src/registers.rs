//! System registers by name.

/// Reads a system register.
macro_rules! read {
    ($name:literal) => {{
        let value: u64;
        // SAFETY: reading this register has no effect, and the kernel runs at EL1 where it exists.
        unsafe { core::arch::asm!(concat!("mrs {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }};
}

/// Writes a system register. The caller states in a `SAFETY:` comment why the new value is right.
macro_rules! write {
    ($name:literal, $value:expr) => {
        core::arch::asm!(concat!("msr ", $name, ", {}"), in(reg) $value, options(nostack, preserves_flags))
    };
}

pub(crate) use {read, write};

/// Waits until earlier system-register writes have their effect.
#[inline(always)]
pub(crate) fn isb() {
    // SAFETY: a barrier.
    unsafe { core::arch::asm!("isb", options(nostack, preserves_flags)) }
}

/// Waits until earlier memory accesses and maintenance are complete for all cores.
#[inline(always)]
pub(crate) fn dsb() {
    // SAFETY: a barrier.
    unsafe { core::arch::asm!("dsb sy", options(nostack, preserves_flags)) }
}

/// One turn of waiting for another core. `YIELD`, not the `ISB` of `core::hint::spin_loop`: an emulator that runs the
/// cores in turn then goes on with the next one.
#[inline(always)]
pub(crate) fn relax() {
    // SAFETY: a hint.
    unsafe { core::arch::asm!("yield", options(nostack, preserves_flags)) }
}
