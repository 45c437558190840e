//! Memory that devices see: registers ([`Mmio`]) and buffers for direct memory access ([`Dma`]).
//!
//! One design rule: a driver is written against [`Registers`] and knows no address, so it runs over a
//! [`fake::Fake`] in tests; the two promises about addresses are made once, where a PD's regions are declared.
//!
//! Limits: registers are 32 bits wide; an access past the end reads 0 and writes nothing.
#![no_std]

#[cfg(any(test, feature = "fake"))]
extern crate std;

mod dma;
#[cfg(any(test, feature = "fake"))]
pub mod fake;

use core::ptr::NonNull;
pub use dma::Dma;
use safe_mmio::{UniqueMmioPointer, fields::ReadWrite};

/// 32-bit device registers, by byte offset.
pub trait Registers {
    /// Reads the register at `offset` bytes. Reading may change the device.
    fn read(&mut self, offset: usize) -> u32;
    /// Writes the register at `offset` bytes.
    fn write(&mut self, offset: usize, value: u32);
}

/// A range of x86 I/O ports, by offset from its first. Accesses are 1, 2 or 4 bytes wide.
pub trait Ports {
    /// Reads `bytes` bytes. Reading may change the device. A port that may not be read is all ones.
    fn read(&mut self, offset: u16, bytes: u16) -> u32;
    /// Writes `bytes` bytes; to a port that may not be written nothing.
    fn write(&mut self, offset: u16, bytes: u16, value: u32);
}

/// A mapped page or more of device registers.
#[derive(Debug)]
pub struct Mmio<'a>(UniqueMmioPointer<'a, [ReadWrite<u32>]>);

impl Mmio<'_> {
    /// The registers of `bytes` bytes at `address`; `None` for the address 0 or one that is not a multiple of 4.
    ///
    /// # Safety
    /// `address` must be mapped as device memory for `bytes` bytes for all of the lifetime, and nothing else may
    /// access it.
    pub unsafe fn new(address: usize, bytes: usize) -> Option<Self> {
        let start = NonNull::new(address as *mut ReadWrite<u32>).filter(|start| start.is_aligned())?;
        let registers = NonNull::slice_from_raw_parts(start, bytes / size_of::<u32>());
        // SAFETY: the caller promises a device mapping of this size that is ours alone.
        Some(Self(unsafe { UniqueMmioPointer::new(registers) }))
    }

    /// Bytes mapped.
    pub fn size(&self) -> usize {
        self.0.len() * size_of::<u32>()
    }

    /// Where `bytes` bytes from `offset` on are mapped, for a driver that lays its own structure over them; `None`
    /// if they are not all mapped. The pointer is good for as long as this view is.
    pub fn window(&mut self, offset: usize, bytes: usize) -> Option<NonNull<u8>> {
        let inside = offset <= self.size() && bytes <= self.size() - offset;
        let start = self.0.ptr_nonnull().cast::<u8>();
        // SAFETY: `offset` was compared with the size of the mapping.
        inside.then(|| unsafe { start.byte_add(offset) })
    }
}

impl Registers for Mmio<'_> {
    fn read(&mut self, offset: usize) -> u32 {
        self.0.get(offset / size_of::<u32>()).map_or(0, |mut register| register.read())
    }
    fn write(&mut self, offset: usize, value: u32) {
        if let Some(mut register) = self.0.get(offset / size_of::<u32>()) {
            register.write(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(words: &mut [u32]) -> Mmio<'_> {
        // SAFETY: the slice is exclusively borrowed for as long as the view lives; plain memory will do as a device.
        unsafe { Mmio::new(words.as_mut_ptr() as usize, size_of_val(words)) }.unwrap()
    }

    #[test]
    fn registers_are_words_and_nothing_lies_past_the_end() {
        let mut words = [1, 2, 3];
        let mut view = over(&mut words);
        view.write(4, 20);
        view.write(12, 40);
        assert_eq!((view.read(0), view.read(4), view.read(12), view.read(1 << 40)), (1, 20, 0, 0));
        assert_eq!(words, [1, 20, 3]);
    }

    #[test]
    fn a_window_lies_inside_the_mapping() {
        let mut words = [0; 4];
        let mut view = over(&mut words);
        assert!(view.window(0, 16).is_some() && view.window(16, 0).is_some() && view.window(8, 8).is_some());
        assert!(view.window(8, 9).is_none() && view.window(17, 0).is_none());
        assert!(view.window(usize::MAX, 2).is_none());
    }

    #[test]
    fn bad_addresses_are_refused() {
        // SAFETY: neither address is accessed: both are refused.
        assert!(unsafe { Mmio::new(0, 4096) }.is_none() && unsafe { Mmio::new(0x1002, 4096) }.is_none());
    }
}
