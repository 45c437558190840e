//! Finding the block device among the transports of a mapped page.

use core::fmt;
use memory_mmio::{Mmio, Registers};
use virtio_drivers::transport::mmio::MmioTransport;

/// Bytes from one transport to the next on QEMU's `virt`.
const STRIDE: usize = 0x200;
const MAGIC: u32 = 0x7472_6976;
const DEVICE_ID: usize = 0x008;
const BLOCK: u32 = 2;

/// Why there is no block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// No transport in the mapped page holds one: the machine has no disk.
    NotFound,
    /// The transport's version is unknown.
    UnknownTransport,
    /// Its registers do not fit the mapped range.
    NoRoom,
    /// The PCI device cannot interrupt by messages.
    NoMessages,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no virtio block device",
            Self::UnknownTransport => "the virtio transport has an unknown version",
            Self::NoRoom => "the region for the disk's registers is too small",
            Self::NoMessages => "the virtio block device has no message-signalled interrupts (MSI-X)",
        })
    }
}

/// The block device's transport; the one with the highest address, where QEMU puts the first disk.
///
/// # Errors
/// See [`ProbeError`].
pub fn probe(mut registers: Mmio<'static>) -> Result<MmioTransport<'static>, ProbeError> {
    let transports = (0..registers.size() / STRIDE).rev().map(|i| i * STRIDE);
    let is_block = |at: &usize| registers.read(*at) == MAGIC && registers.read(at + DEVICE_ID) == BLOCK;
    let at = { transports }.find(is_block).ok_or(ProbeError::NotFound)?;
    let header = registers.window(at, STRIDE).ok_or(ProbeError::NotFound)?;
    // SAFETY: `registers` is the only view of a device mapping that lives for ever (its maker promised so), it was
    // given to us, and it ends here; the window lies inside it and is aligned to its stride.
    unsafe { MmioTransport::new(header.cast(), STRIDE) }.map_err(|_| ProbeError::UnknownTransport)
}
