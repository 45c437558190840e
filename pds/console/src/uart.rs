// SPDX-License-Identifier: MIT
//! A UART as the console's terminal: whichever the system description gives the PD.

use crate::Terminal;
use drivers_ns16550::Ns16550;
use drivers_pl011::Pl011;
use memory_mmio::{Ports, Registers};

/// What came in: a character, one after others were lost, or noise.
enum Received {
    Character(u8),
    AfterLoss(u8),
    Noise,
}

/// The hardware.
#[derive(Debug)]
enum Device<R, P> {
    Pl011(Pl011<R>),
    Ns16550(Ns16550<P>),
}

/// A terminal at a UART.
#[derive(Debug)]
pub struct Uart<R, P> {
    device: Device<R, P>,
    lost: u32,
}

impl<R: Registers, P: Ports> Uart<R, P> {
    /// Sets up a PL011 by its registers, or else a 16550 by its ports; `None` where there is neither.
    pub fn find(registers: Option<R>, ports: Option<P>) -> Option<Self> {
        let by_registers = registers.map(|registers| Device::Pl011(Pl011::new(registers)));
        let device = by_registers.or_else(|| ports.map(|ports| Device::Ns16550(Ns16550::new(ports))))?;
        Some(Self { device, lost: 0 })
    }

    fn receive(&mut self) -> Option<Received> {
        use {drivers_ns16550::LineError as PortError, drivers_pl011::LineError as RegisterError};
        Some(match &mut self.device {
            Device::Pl011(device) => match device.read()? {
                Ok(byte) => Received::Character(byte),
                Err(RegisterError::Overrun(byte)) => Received::AfterLoss(byte),
                Err(_) => Received::Noise,
            },
            Device::Ns16550(device) => match device.read()? {
                Ok(byte) => Received::Character(byte),
                Err(PortError::Overrun(byte)) => Received::AfterLoss(byte),
                Err(_) => Received::Noise,
            },
        })
    }
}

impl<R: Registers, P: Ports> Terminal for Uart<R, P> {
    fn write(&mut self, bytes: &[u8]) -> usize {
        match &mut self.device {
            Device::Pl011(device) => device.write(bytes),
            Device::Ns16550(device) => device.write(bytes),
        }
    }

    /// Noise on the line is dropped; characters that the hardware lost are counted, at least one for each report.
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut count = 0;
        while count < into.len() {
            let byte = match self.receive() {
                None => break,
                Some(Received::Character(byte)) => byte,
                Some(Received::AfterLoss(byte)) => {
                    self.lost = self.lost.saturating_add(1);
                    byte
                }
                Some(Received::Noise) => continue,
            };
            into[count] = byte;
            count += 1;
        }
        count
    }

    fn interrupt(&mut self) {
        match &mut self.device {
            Device::Pl011(device) => device.clear_interrupt(),
            Device::Ns16550(device) => device.clear_interrupt(),
        }
    }

    fn take_lost(&mut self) -> u32 {
        core::mem::take(&mut self.lost)
    }
}
