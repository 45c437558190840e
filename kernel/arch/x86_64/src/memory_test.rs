//! The boot option `memtest`: tests the RAM that the system clears at its start, the model's region among it, and stops.

use crate::{Console, halt, linear};
use core::fmt::Write;
use kernel_core::memory_test::{Bad, PATTERNS, Words, test};
use kernel_spec::Spec;

/// A range of RAM by its place in the linear map.
struct Ram(*mut u64);

impl Words for Ram {
    fn read(&self, index: u64) -> u64 {
        // SAFETY: `run` counts the words of a range of RAM of this image, which the linear map covers and which
        // nobody uses yet.
        unsafe { self.0.add(index as usize).read_volatile() }
    }
    fn write(&mut self, index: u64, value: u64) {
        // SAFETY: as above.
        unsafe { self.0.add(index as usize).write_volatile(value) }
    }
}

/// Tests every range and stops this machine.
pub(crate) fn run(spec: &Spec<'_>) -> ! {
    let (mut bytes, mut bad) = (0, 0);
    for range in spec.zero {
        let (start, size) = (range.paddr.get(), range.size.get());
        let mut ram = Ram(linear::address(start) as *mut u64);
        let results = PATTERNS.map(|pattern| test(&mut ram, size / 8, pattern));
        let found = results.iter().filter(|result| result.is_err()).count();
        for Bad { index, wrote, read } in results.iter().filter_map(|result| result.err()) {
            let at = start + index * 8;
            let _ =
                writeln!(Console, "cloister: memory test: {at:#x}: wrote {wrote:#018x}, read {read:#018x}");
        }
        let verdict = if found == 0 { "good" } else { "BAD" };
        let _ = writeln!(
            Console,
            "cloister: memory test: {start:#x} to {:#x}, {} KiB: {verdict}",
            start + size,
            size >> 10
        );
        (bytes, bad) = (bytes + size, bad + found);
    }
    let _ = writeln!(
        Console,
        "cloister: memory test: {} MiB, {} patterns, {bad} errors; switch the machine off or start it again",
        bytes >> 20,
        PATTERNS.len()
    );
    halt()
}
