//! What a PC's firmware and boot loader say of the machine: PVH and Multiboot2 start information, ACPI tables.
//!
//! One design rule: nothing that is read is believed to be well-formed. Bytes are copied out of [`Physical`] memory,
//! every length is bounded, and what is wrong is an error that names the structure.

mod acpi;
mod boot;
mod command;
#[cfg(test)]
mod tests;

pub use acpi::{AcpiError, Apics, IoApic, MAX_IO_APICS, MAX_LISTED};
pub use boot::{BootError, BootInfo, Loader, MULTIBOOT2};
pub use command::{CommandLine, MAX_COMMAND, Options, Word};

/// Physical memory, as far as it can be read.
pub trait Physical {
    /// Copies bytes out; false where some of them cannot be read.
    fn read(&self, address: u64, out: &mut [u8]) -> bool;

    /// A little-endian number of up to eight bytes.
    fn number<const N: usize>(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes[..N]).then(|| u64::from_le_bytes(bytes))
    }
}
