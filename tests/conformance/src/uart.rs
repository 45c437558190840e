//! Polled text output of `judge` and `bench`.

use core::fmt;
use ipc_pd::PortRange;
use memory_mmio::{Mmio, Ports, Registers};

/// The UART that the system description gives the program.
pub enum Uart {
    /// PL011 by memory-mapped registers.
    Pl011(Mmio<'static>),
    /// 16550 by I/O ports.
    Ns16550(PortRange),
    /// None: silent.
    None,
}

impl Uart {
    /// Whichever is there.
    pub fn new(registers: Option<Mmio<'static>>, ports: Option<PortRange>) -> Self {
        match (registers, ports) {
            (Some(registers), _) => Self::Pl011(registers),
            (None, Some(ports)) => Self::Ns16550(ports),
            (None, None) => Self::None,
        }
    }

    fn put(&mut self, byte: u8) {
        match self {
            Self::Pl011(registers) => {
                while registers.read(0x18) & 1 << 5 != 0 {}
                registers.write(0, u32::from(byte));
            }
            Self::Ns16550(ports) => {
                while ports.read(5, 1) & 1 << 5 == 0 {}
                ports.write(0, 1, u32::from(byte));
            }
            Self::None => {}
        }
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.put(byte));
        Ok(())
    }
}
