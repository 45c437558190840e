//! Typed views of shared memory regions: one writer per region, everybody else reads.
//!
//! One design rule: memory that another protection domain may write is only ever touched through
//! relaxed or ordered 64-bit atomics, and bytes are copied out before anybody looks at them. So there is
//! never a `&T` to memory that can change, and a hostile peer can only choose values, not break Rust.
//!
//! Limits: offsets are in words of 8 bytes; an access past the end is ignored or reads 0, because an
//! offset may come from a peer and a view must not panic over it.
#![no_std]

#[cfg(feature = "fake")]
extern crate std;

#[cfg(feature = "fake")]
pub mod fake;

use core::sync::atomic::{AtomicU64, Ordering};

/// Bytes in a word.
pub const WORD: usize = 8;

/// A region that some peer writes: loads only.
#[derive(Clone, Copy)]
pub struct Readable<'a>(&'a [AtomicU64]);

/// The region that this protection domain alone may write.
pub struct Writable<'a>(&'a [AtomicU64]);

impl<'a> Readable<'a> {
    /// Views `bytes` bytes at `base`; a rest smaller than a word is left out.
    ///
    /// # Safety
    /// `base` must be 8-aligned and mapped readable for `bytes` bytes for all of `'a`, and every other access to
    /// those bytes, from any protection domain, must be atomic or happen before this call.
    pub unsafe fn new(base: *const u8, bytes: usize) -> Self {
        // SAFETY: the caller promises a live, aligned mapping that is only accessed atomically; `AtomicU64` has
        // the layout of `u64`, and this type never stores, so a read-only mapping is enough.
        Self(unsafe { core::slice::from_raw_parts(base.cast(), bytes / WORD) })
    }

    /// Size in words.
    pub fn words(&self) -> usize {
        self.0.len()
    }

    /// The word at `index`, 0 past the end.
    pub fn load(&self, index: usize, order: Ordering) -> u64 {
        self.0.get(index).map_or(0, |word| word.load(order))
    }

    /// Copies `out.len()` bytes from byte `offset` (a multiple of 8) on; what lies past the end reads as 0.
    /// The copy is not atomic as a whole: check it after copying, never before.
    pub fn copy_out(&self, offset: usize, out: &mut [u8]) {
        let (words, rest) = out.as_chunks_mut::<WORD>();
        let source = self.0.get(offset / WORD..).unwrap_or(&[]);
        let whole = words.len();
        for (i, chunk) in words.iter_mut().enumerate() {
            *chunk = source.get(i).map_or(0, |word| word.load(Ordering::Relaxed)).to_le_bytes();
        }
        let last = self.load(offset / WORD + whole, Ordering::Relaxed).to_le_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

impl<'a> Writable<'a> {
    /// Views `bytes` bytes at `base`; a rest smaller than a word is left out.
    ///
    /// # Safety
    /// As for [`Readable::new`], and the mapping must be writable.
    pub unsafe fn new(base: *mut u8, bytes: usize) -> Self {
        // SAFETY: the caller promises a live, aligned, writable mapping that is only accessed atomically.
        Self(unsafe { core::slice::from_raw_parts(base.cast(), bytes / WORD) })
    }

    /// Size in words.
    pub fn words(&self) -> usize {
        self.0.len()
    }

    /// What this protection domain itself wrote at `index`; 0 past the end.
    pub fn load(&self, index: usize, order: Ordering) -> u64 {
        self.0.get(index).map_or(0, |word| word.load(order))
    }

    /// Stores a word; past the end nothing happens.
    pub fn store(&self, index: usize, value: u64, order: Ordering) {
        if let Some(word) = self.0.get(index) {
            word.store(value, order);
        }
    }

    /// Copies `bytes` to byte `offset` (a multiple of 8) on; the last word is padded with zeros, what lies past
    /// the end is dropped.
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) {
        for (i, chunk) in bytes.chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..chunk.len()].copy_from_slice(chunk);
            self.store(offset / WORD + i, u64::from_le_bytes(word), Ordering::Relaxed);
        }
    }

    /// Overwrites the whole region with zeros.
    pub fn erase(&self) {
        for word in self.0 {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// The same region as its readers see it.
    pub fn as_readable(&self) -> Readable<'a> {
        Readable(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(words: &mut [u64]) -> Writable<'_> {
        // SAFETY: the slice is exclusively borrowed for as long as the view lives.
        unsafe { Writable::new(words.as_mut_ptr().cast(), core::mem::size_of_val(words)) }
    }

    #[test]
    fn bytes_come_back_as_they_went_in() {
        let mut words = [u64::MAX; 4];
        let view = region(&mut words);
        view.copy_in(8, b"hello, cloister");
        let mut out = [0; 15];
        view.as_readable().copy_out(8, &mut out);
        assert_eq!(&out, b"hello, cloister");
        assert_eq!(view.load(0, Ordering::Relaxed), u64::MAX, "the word before is untouched");
        assert_eq!(view.load(3, Ordering::Relaxed), u64::MAX, "the word behind is untouched");
    }

    #[test]
    fn past_the_end_reads_zero_and_stores_nothing() {
        let mut words = [7; 2];
        let view = region(&mut words);
        view.store(2, 1, Ordering::Relaxed);
        view.copy_in(8, &[1; 64]);
        assert_eq!(view.load(9, Ordering::Relaxed), 0);
        let mut out = [9; 24];
        view.as_readable().copy_out(8, &mut out);
        assert_eq!(out[8..], [0; 16]);
    }
}
