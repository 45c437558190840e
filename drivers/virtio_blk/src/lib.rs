//! A virtio block device over memory-mapped registers (legacy devices too) or PCI, interrupt-driven (virtio 1.2, 5.2).
//!
//! One design rule: what the device says is an allegation. A completion must name a request that is under way, and
//! nothing that the device can still change is read twice. The queue itself is `virtio-drivers`'; its own block
//! driver is not used, because it flushes by spinning and relies on event indices, whose comparison in 0.13 loses a
//! notification when the 16-bit index wraps.
//!
//! Limits: 512-byte sectors, one queue, [`DEPTH`] requests. The only `unsafe` is for memory that the device reaches.
#![no_std]

#[cfg(test)]
extern crate std;

mod device;
mod hal;
mod pci;
mod probe;
mod request;
#[cfg(test)]
mod tests;
mod vectors;

pub use device::{DEPTH, InitError, VirtioBlk};
pub use pci::probe_pci;
pub use probe::{ProbeError, probe};
pub use vectors::{Message, Vectors};
pub use virtio_drivers::transport::SomeTransport;
