//! I/O ports.

use core::arch::asm;

/// Reads a port of 1, 2 or 4 bytes.
///
/// # Safety
/// Reading it does the kernel no harm: it is one of the kernel's own devices, or given to a PD by the description.
pub(crate) unsafe fn read(port: u16, bytes: u16) -> u32 {
    let mut value = 0u32;
    // SAFETY: promised by the caller; a port is no memory.
    unsafe {
        match bytes {
            1 => asm!("in al, dx", in("dx") port, inout("eax") value, options(nostack, preserves_flags)),
            2 => asm!("in ax, dx", in("dx") port, inout("eax") value, options(nostack, preserves_flags)),
            _ => asm!("in eax, dx", in("dx") port, out("eax") value, options(nostack, preserves_flags)),
        }
    }
    value
}

/// Writes a port of 1, 2 or 4 bytes.
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn write(port: u16, bytes: u16, value: u32) {
    // SAFETY: promised by the caller; a port is no memory.
    unsafe {
        match bytes {
            1 => asm!("out dx, al", in("dx") port, in("eax") value, options(nostack, preserves_flags)),
            2 => asm!("out dx, ax", in("dx") port, in("eax") value, options(nostack, preserves_flags)),
            _ => asm!("out dx, eax", in("dx") port, in("eax") value, options(nostack, preserves_flags)),
        }
    }
}
