//! I/O APICs (Intel 82093AA): interrupt lines of devices, by global number. The old controllers are silenced.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use kernel_core::pc::{Apics, MAX_IO_APICS};

const SELECT: usize = 0x00;
const WINDOW: usize = 0x10;
const VERSION: u32 = 1;
const ENTRIES: u32 = 0x10;

const LOW: u32 = 1 << 13;
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

/// One I/O APIC; no lines where there is none.
struct Controller {
    base: AtomicUsize,
    first: AtomicU32,
    lines: AtomicU32,
}

static CONTROLLERS: [Controller; MAX_IO_APICS] =
    [const { Controller { base: AtomicUsize::new(0), first: AtomicU32::new(0), lines: AtomicU32::new(0) } };
        MAX_IO_APICS];

impl Controller {
    fn read(&self, register: u32) -> u32 {
        let base = self.base.load(Ordering::Relaxed);
        // SAFETY: `init` stored an I/O APIC's address, which the linear map covers as device memory. The caller holds
        // the kernel lock, or is alone.
        unsafe {
            ((base + SELECT) as *mut u32).write_volatile(register);
            ((base + WINDOW) as *const u32).read_volatile()
        }
    }

    fn write(&self, register: u32, value: u32) {
        let base = self.base.load(Ordering::Relaxed);
        // SAFETY: as above.
        unsafe {
            ((base + SELECT) as *mut u32).write_volatile(register);
            ((base + WINDOW) as *mut u32).write_volatile(value);
        }
    }
}

/// Makes the I/O APICs known, all lines masked, and masks the lines of the old controllers.
pub(crate) fn init(apics: &Apics) {
    for (controller, found) in CONTROLLERS.iter().zip(&apics.io[..apics.io_count]) {
        controller.base.store(crate::linear::address(found.address), Ordering::Relaxed);
        controller.first.store(found.first, Ordering::Relaxed);
        let lines = (controller.read(VERSION) >> 16 & 0xff) + 1;
        controller.lines.store(lines, Ordering::Relaxed);
        for line in 0..lines {
            controller.write(ENTRIES + line * 2, MASKED);
        }
    }
    // SAFETY: the mask registers of both 8259A, and the timer that would raise line 2 eighteen times a second.
    unsafe {
        crate::port::write(0x21, 1, 0xff);
        crate::port::write(0xa1, 1, 0xff);
        crate::port::write(0x43, 1, 0x30);
    }
}

/// The controller of a line, and the line's entry there.
fn find(line: u32) -> Option<(&'static Controller, u32)> {
    let within = |controller: &&Controller| {
        let first = controller.first.load(Ordering::Relaxed);
        line >= first && line - first < controller.lines.load(Ordering::Relaxed)
    };
    let controller = CONTROLLERS.iter().find(within)?;
    Some((controller, ENTRIES + (line - controller.first.load(Ordering::Relaxed)) * 2))
}

/// Vector, trigger and target of a line; it stays masked. False: there is no such line.
pub(crate) fn configure(line: u32, vector: u32, edge: bool, active_low: bool, apic: u32) -> bool {
    let Some((controller, entry)) = find(line) else { return false };
    controller.write(entry + 1, apic << 24);
    let trigger = if edge { 0 } else { LEVEL };
    controller.write(entry, MASKED | vector | trigger | if active_low { LOW } else { 0 });
    true
}

/// Lets a line be delivered.
pub(crate) fn unmask(line: u32) {
    if let Some((controller, entry)) = find(line) {
        controller.write(entry, controller.read(entry) & !MASKED);
    }
}

/// Holds a line back.
pub(crate) fn mask(line: u32) {
    if let Some((controller, entry)) = find(line) {
        controller.write(entry, controller.read(entry) | MASKED);
    }
}
