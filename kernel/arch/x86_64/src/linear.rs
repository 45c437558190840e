//! Two views of physical memory: the linear map of the first 4 GiB, and the 2 MiB of the kernel's image where its
//! code runs (the last 2 GiB of the address space, as the kernel code model wants).

/// Physical address `p` lies at `BASE + p`.
pub(crate) const BASE: u64 = 0xffff_8000_0000_0000;
/// The image's physical address `p` lies at `IMAGE + p`. `kernel.ld` has the same number.
pub(crate) const IMAGE: u64 = 0xffff_ffff_8000_0000;
/// End of what the linear map can hold.
pub(crate) const END: u64 = 4 << 30;

/// Where the kernel sees a physical address.
#[inline(always)]
pub(crate) const fn address(physical: u64) -> usize {
    (BASE + physical) as usize
}

/// The physical address of something in the kernel's image.
#[inline(always)]
pub(crate) fn physical<T>(item: *const T) -> u64 {
    item as u64 - IMAGE
}
