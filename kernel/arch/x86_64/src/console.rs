//! The kernel's voice: polled output on COM1 (16550).

use crate::port;
use core::fmt;

const DATA: u16 = 0;
const INTERRUPTS: u16 = 1;
const FIFO: u16 = 2;
const LINE: u16 = 3;
const MODEM: u16 = 4;
const STATUS: u16 = 5;

const DIVISOR_LATCH: u32 = 0x80;
const EIGHT_BITS: u32 = 0x03;
const ROOM: u32 = 1 << 5;
const COM1: u16 = 0x3f8;

fn read(register: u16) -> u32 {
    // SAFETY: COM1 is the kernel's until the first PD runs; afterwards only its transmitter is used.
    unsafe { port::read(COM1 + register, 1) }
}

fn write(register: u16, value: u32) {
    // SAFETY: as above.
    unsafe { port::write(COM1 + register, 1, value) }
}

/// 115200 baud, 8N1, FIFOs on, no interrupts.
pub(crate) fn init() {
    write(INTERRUPTS, 0);
    write(LINE, DIVISOR_LATCH);
    write(DATA, 1);
    write(INTERRUPTS, 0);
    write(LINE, EIGHT_BITS);
    write(FIFO, 0x07);
    write(MODEM, 0x03);
}

/// Writes text. Bounded: a dead UART costs time, not the system.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        kernel_arch_common::write_text(text, put)
    }
}

fn put(byte: u8) {
    for _ in 0..100_000 {
        if read(STATUS) & ROOM != 0 {
            break;
        }
    }
    write(DATA, byte.into());
}
