//! Polled text output of `judge`.

use core::fmt;

/// A PL011 at a virtual address.
pub struct Uart(pub usize);

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.put(byte);
        }
        Ok(())
    }
}

impl Uart {
    fn put(&mut self, byte: u8) {
        // SAFETY: `system.xml` maps the PL011's page at this address into `judge` alone; offset 0x18 is the flag
        // register, 0 the data register.
        unsafe {
            while ((self.0 + 0x18) as *const u32).read_volatile() & 1 << 5 != 0 {}
            (self.0 as *mut u32).write_volatile(u32::from(byte));
        }
    }
}
