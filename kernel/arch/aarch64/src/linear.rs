//! The linear map: physical address `p` lies at `BASE + p` in the kernel's address space.

/// First address of the kernel's half (39 bits).
pub(crate) const BASE: u64 = 0xffff_ff80_0000_0000;

/// Where the kernel sees a physical address.
#[inline(always)]
pub(crate) const fn address(physical: u64) -> usize {
    (BASE + physical) as usize
}

/// The physical address of something in the kernel's image.
#[inline(always)]
pub(crate) fn physical<T>(item: *const T) -> u64 {
    item as u64 - BASE
}
