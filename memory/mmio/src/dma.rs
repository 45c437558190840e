//! A region whose physical address is known, so that a device can be told about it.

use core::ptr::NonNull;

/// A region for direct memory access. It hands out addresses, never references: what a device or another PD may
/// change is not ordinary memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dma {
    address: NonNull<u8>,
    bytes: usize,
    physical: u64,
}

// SAFETY: the type holds addresses only; every access through them is somebody's own unsafe code.
unsafe impl Send for Dma {}

impl Dma {
    /// The region of `bytes` bytes at `address`, which lies at `physical`; `None` where one of the three is 0.
    ///
    /// # Safety
    /// The range must be mapped readable and writable, contiguous from `physical` on, for as long as the program
    /// runs, and no Rust reference to it may exist.
    pub unsafe fn new(address: usize, bytes: usize, physical: u64) -> Option<Self> {
        let address = NonNull::new(address as *mut u8)?;
        (bytes != 0 && physical != 0).then_some(Self { address, bytes, physical })
    }

    /// Bytes.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// The part of `bytes` bytes from `offset` on, if it lies inside.
    pub fn part(&self, offset: usize, bytes: usize) -> Option<Self> {
        let inside = bytes > 0 && offset <= self.bytes && bytes <= self.bytes - offset;
        // SAFETY: `offset` was compared with the size of the region.
        let address = inside.then(|| unsafe { self.address.byte_add(offset) })?;
        Some(Self { address, bytes, physical: self.physical + offset as u64 })
    }

    /// Virtual address.
    pub fn address(&self) -> NonNull<u8> {
        self.address
    }

    /// The bytes by address.
    pub fn bytes(&self) -> NonNull<[u8]> {
        NonNull::slice_from_raw_parts(self.address, self.bytes)
    }

    /// Physical address.
    pub fn physical(&self) -> u64 {
        self.physical
    }

    /// The physical address of `bytes` bytes at virtual `address`, if this region holds them.
    pub fn translate(&self, address: usize, bytes: usize) -> Option<u64> {
        let offset = address.checked_sub(self.address.as_ptr() as usize)?;
        self.part(offset, bytes).map(|part| part.physical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_translations_stay_inside() {
        // SAFETY: nothing is accessed through these addresses.
        let region = unsafe { Dma::new(0x10_0000, 0x2000, 0x4000_0000) }.unwrap();
        assert_eq!(region.part(0x1000, 0x1000).unwrap().physical(), 0x4000_1000);
        assert_eq!(region.translate(0x10_1fff, 1), Some(0x4000_1fff));
        assert_eq!(region.translate(0x10_1fff, 2), None);
        assert_eq!(region.translate(0xf_ffff, 1), None);
        assert_eq!(region.part(0x2000, 1), None);
        assert_eq!(region.part(usize::MAX, 2), None);
    }
}
