//! The kernel's voice: polled output on the board's PL011 (Arm DDI 0183).

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

static UART: AtomicUsize = AtomicUsize::new(0);

const DATA: usize = 0;
const FLAGS: usize = 0x18;
const TRANSMIT_FULL: u32 = 1 << 5;

/// Sets where the PL011 is.
pub(crate) fn init(physical: u64) {
    UART.store(crate::linear::address(physical), Ordering::Relaxed);
}

/// Writes text; silent until the board's address is known. Bounded: a dead UART costs time, not the system.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        kernel_arch_common::write_text(text, put)
    }
}

fn put(byte: u8) {
    let base = UART.load(Ordering::Relaxed);
    if base == 0 {
        return;
    }
    for _ in 0..1_000_000 {
        // SAFETY: `init` was given the board's PL011, which the linear map covers as device memory.
        let flags = unsafe { ((base + FLAGS) as *const u32).read_volatile() };
        if flags & TRANSMIT_FULL == 0 {
            break;
        }
    }
    // SAFETY: as above.
    unsafe { ((base + DATA) as *mut u32).write_volatile(u32::from(byte)) }
}
