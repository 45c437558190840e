// SPDX-License-Identifier: MIT
//! A PL011 as the console's terminal.

use crate::Terminal;
use drivers_pl011::{LineError, Pl011};
use memory_mmio::Registers;

/// A terminal at a PL011.
#[derive(Debug)]
pub struct Uart<R> {
    device: Pl011<R>,
    lost: u32,
}

impl<R: Registers> Uart<R> {
    /// Uses a UART that was set up.
    pub fn new(device: Pl011<R>) -> Self {
        Self { device, lost: 0 }
    }
}

impl<R: Registers> Terminal for Uart<R> {
    fn write(&mut self, bytes: &[u8]) -> usize {
        self.device.write(bytes)
    }

    /// Noise on the line is dropped; characters that the hardware lost are counted, at least one for each report.
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut count = 0;
        while count < into.len() {
            let byte = match self.device.read() {
                None => break,
                Some(Ok(byte)) => byte,
                Some(Err(LineError::Overrun(byte))) => {
                    self.lost = self.lost.saturating_add(1);
                    byte
                }
                Some(Err(_)) => continue,
            };
            into[count] = byte;
            count += 1;
        }
        count
    }

    fn interrupt(&mut self) {
        self.device.clear_interrupt();
    }

    fn take_lost(&mut self) -> u32 {
        core::mem::take(&mut self.lost)
    }
}
