//! 16550 UART by I/O ports, interrupt-driven.
//!
//! One design rule: the transmitter's state is asked once for a whole FIFO: when it is empty, sixteen bytes fit. Each
//! access of a port is a call of the kernel. Source: National Semiconductor PC16550D, 8.
//!
//! Limits: 115200 baud, 8N1, no flow control.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(test)]
mod tests;

use memory_mmio::Ports;

const DATA: u16 = 0;
const INTERRUPTS: u16 = 1;
const IDENTIFY: u16 = 2;
const FIFO: u16 = 2;
const LINE: u16 = 3;
const MODEM: u16 = 4;
const STATUS: u16 = 5;

const RECEIVE: u32 = 1;
const TRANSMIT: u32 = 1 << 1;
const ERRORS: u32 = 1 << 2;

const EIGHT_BITS: u32 = 0b11;
const DIVISOR_LATCH: u32 = 1 << 7;
const FIFOS_AT_ONE: u32 = 0b111;
/// Ready, and the gate through which a PC's UART interrupts.
const READY: u32 = 0b1011;

const AVAILABLE: u32 = 1;
const OVERRUN: u32 = 1 << 1;
const PARITY: u32 = 1 << 2;
const FRAMING: u32 = 1 << 3;
const BREAK: u32 = 1 << 4;
const EMPTY: u32 = 1 << 5;

/// Bytes that the transmitter's FIFO holds.
const DEPTH: usize = 16;

/// What was wrong with a received character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The line was held low: a break.
    Break,
    /// Framing or parity: noise, or another speed.
    Framing,
    /// Characters before this one were lost.
    Overrun(u8),
}

/// A 16550.
#[derive(Debug)]
pub struct Ns16550<P> {
    ports: P,
    wants_room: bool,
}

impl<P: Ports> Ns16550<P> {
    /// Sets the UART up: 115200 baud, 8N1, FIFOs on, receive interrupts on, transmit interrupt off.
    pub fn new(mut ports: P) -> Self {
        let mut set = |offset, value| ports.write(offset, 1, value);
        set(INTERRUPTS, 0);
        set(LINE, DIVISOR_LATCH);
        set(DATA, 1);
        set(INTERRUPTS, 0);
        set(LINE, EIGHT_BITS);
        set(FIFO, FIFOS_AT_ONE);
        set(MODEM, READY);
        set(INTERRUPTS, RECEIVE | ERRORS);
        Self { ports, wants_room: false }
    }

    /// The next received character; `None` when there is none.
    pub fn read(&mut self) -> Option<Result<u8, LineError>> {
        let status = self.ports.read(STATUS, 1);
        if status & AVAILABLE == 0 {
            return None;
        }
        let byte = self.ports.read(DATA, 1) as u8;
        Some(match byte {
            _ if status & BREAK != 0 => Err(LineError::Break),
            _ if status & (FRAMING | PARITY) != 0 => Err(LineError::Framing),
            byte if status & OVERRUN != 0 => Err(LineError::Overrun(byte)),
            byte => Ok(byte),
        })
    }

    /// Queues as many of `bytes` as the FIFO takes, and says how many. Where that is not all, the transmit interrupt
    /// comes when there is room.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let room = if self.ports.read(STATUS, 1) & EMPTY != 0 { DEPTH } else { 0 };
        let sent = bytes.len().min(room);
        for byte in &bytes[..sent] {
            self.ports.write(DATA, 1, u32::from(*byte));
        }
        self.want_room(sent < bytes.len());
        sent
    }

    fn want_room(&mut self, wanted: bool) {
        if wanted != self.wants_room {
            self.wants_room = wanted;
            let transmit = if wanted { TRANSMIT } else { 0 };
            self.ports.write(INTERRUPTS, 1, RECEIVE | ERRORS | transmit);
        }
    }

    /// Clears what raised the interrupt, as far as reading it does: call it first on an interrupt, then read until there
    /// is nothing and write what waits, then acknowledge the interrupt.
    pub fn clear_interrupt(&mut self) {
        self.ports.read(IDENTIFY, 1);
    }
}
