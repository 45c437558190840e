//! IPC buffers: one page per PD, seen through the linear map.
//!
//! One design rule: the thread that owns a buffer does not execute while the kernel uses it, but nothing is assumed of
//! what it holds; every access is a volatile word.

/// Words of a buffer that carry message registers and the tag.
const WORDS: usize = 128;

/// A buffer at a kernel address.
#[derive(Clone, Copy)]
pub struct Buffer(usize);

impl Buffer {
    /// No buffer yet. Zero, so that tables of it stand in `.bss`.
    pub const NONE: Self = Self(0);

    /// The page at a kernel address.
    ///
    /// # Safety
    /// The page is mapped RAM and belongs to this buffer for ever.
    pub unsafe fn new(address: usize) -> Self {
        Self(address)
    }

    /// Word `index`; 0 where there is no buffer.
    #[inline(always)]
    pub fn read(self, index: usize) -> u64 {
        if self.0 == 0 {
            return 0;
        }
        // SAFETY: `new` was promised a page of RAM; the index stays in it.
        unsafe { (self.0 as *const u64).add(index & (WORDS - 1)).read_volatile() }
    }

    /// Sets a word.
    #[inline(always)]
    pub fn write(self, index: usize, value: u64) {
        if self.0 != 0 {
            // SAFETY: as in `read`.
            unsafe { (self.0 as *mut u64).add(index & (WORDS - 1)).write_volatile(value) }
        }
    }

    /// Copies message registers 4 to `length` to another buffer.
    #[inline(always)]
    pub fn copy_to(self, to: Self, length: usize) {
        for index in 5..=length {
            to.write(index, self.read(index));
        }
    }
}
