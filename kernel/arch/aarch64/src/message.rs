//! IPC buffers: one page per PD, seen through the linear map.
//!
//! One design rule: the thread that owns a buffer does not execute while the kernel uses it, but nothing is assumed of
//! what it holds; every access is a volatile word.

/// Words of a buffer that carry message registers and the tag.
const WORDS: usize = 128;

/// A buffer at a kernel address.
#[derive(Clone, Copy)]
pub(crate) struct Buffer(usize);

impl Buffer {
    /// No buffer yet. Zero, so that tables of it stand in `.bss`.
    pub const NONE: Self = Self(0);

    /// The page at a physical address.
    ///
    /// # Safety
    /// The page is RAM that the linear map covers, and belongs to this buffer for ever.
    pub unsafe fn new(physical: u64) -> Self {
        Self(crate::linear::address(physical))
    }

    #[inline(always)]
    pub fn read(self, index: usize) -> u64 {
        if self.0 == 0 {
            return 0;
        }
        // SAFETY: `new` was promised a page of RAM; the index stays in it.
        unsafe { (self.0 as *const u64).add(index & (WORDS - 1)).read_volatile() }
    }

    #[inline(always)]
    pub fn write(self, index: usize, value: u64) {
        if self.0 != 0 {
            // SAFETY: as in `read`.
            unsafe { (self.0 as *mut u64).add(index & (WORDS - 1)).write_volatile(value) }
        }
    }
}
