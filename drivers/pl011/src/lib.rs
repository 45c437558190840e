//! ARM PrimeCell UART (PL011), interrupt-driven on both sides.
//!
//! One design rule: nothing here waits. [`Pl011::read`] and [`Pl011::write`] move what the FIFOs hold or take and
//! say so; the caller comes back with the next interrupt. Source: ARM DDI 0183G.
//!
//! Limits: 8 data bits, no parity, one stop bit, no flow control; the boot loader's (or QEMU's) baud rate stays.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod registers;
#[cfg(test)]
mod tests;

use memory_mmio::Registers;
use registers::*;

/// What was wrong with a received character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// Characters before this one were lost: the FIFO was full. This one is good, and is the value.
    Overrun(u8),
    /// The line was held low: a break.
    Break,
    /// Parity or stop bit were wrong: the character is noise.
    Framing,
}

/// A UART.
#[derive(Debug)]
pub struct Pl011<R> {
    registers: R,
}

impl<R: Registers> Pl011<R> {
    /// Sets the UART up: 8N1, FIFOs on, receive interrupts on, transmit interrupt off.
    pub fn new(mut registers: R) -> Self {
        registers.write(CR, 0);
        registers.write(ICR, ALL_INTERRUPTS);
        registers.write(IFLS, RECEIVE_AT_ONE_EIGHTH | TRANSMIT_AT_ONE_EIGHTH);
        registers.write(LCR_H, EIGHT_BITS | FIFOS);
        registers.write(IMSC, RECEIVE | RECEIVE_TIMEOUT | ERRORS);
        registers.write(CR, ENABLE | TRANSMIT_ENABLE | RECEIVE_ENABLE);
        Self { registers }
    }

    /// The next received character; `None` when there is none.
    pub fn read(&mut self) -> Option<Result<u8, LineError>> {
        if self.registers.read(FR) & RECEIVE_EMPTY != 0 {
            return None;
        }
        let data = self.registers.read(DR);
        Some(match data as u8 {
            _ if data & BREAK != 0 => Err(LineError::Break),
            _ if data & (FRAMING | PARITY) != 0 => Err(LineError::Framing),
            byte if data & OVERRUN != 0 => Err(LineError::Overrun(byte)),
            byte => Ok(byte),
        })
    }

    /// Queues as many of `bytes` as the FIFO takes, and says how many. Where that is not all, the transmit interrupt
    /// comes when there is room.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let sent = bytes.iter().take_while(|byte| self.write_byte(**byte)).count();
        self.want_room(sent < bytes.len());
        sent
    }

    fn write_byte(&mut self, byte: u8) -> bool {
        let room = self.registers.read(FR) & TRANSMIT_FULL == 0;
        if room {
            self.registers.write(DR, u32::from(byte));
        }
        room
    }

    fn want_room(&mut self, wanted: bool) {
        let transmit = if wanted { TRANSMIT } else { 0 };
        self.registers.write(IMSC, RECEIVE | RECEIVE_TIMEOUT | ERRORS | transmit);
    }

    /// Whether everything that was written has left the UART.
    pub fn is_drained(&mut self) -> bool {
        self.registers.read(FR) & (BUSY | TRANSMIT_EMPTY) == TRANSMIT_EMPTY
    }

    /// Clears what raised the interrupt. Call it first on an interrupt, then read until there is nothing and write
    /// what waits, then acknowledge the interrupt.
    pub fn clear_interrupt(&mut self) {
        let raised = self.registers.read(MIS);
        self.registers.write(ICR, raised);
    }
}
