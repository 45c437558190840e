//! Where things lie in a region, in words of 8 bytes. Words that different sides poll are a cache line apart.

/// The owner's epoch: raised by one whenever the owner starts; 0 = never started.
pub const EPOCH: usize = 0;
/// The peer's epoch that the owner's indices belong to.
pub const SEEN_EPOCH: usize = 1;
/// Messages the owner has produced in this epoch.
pub const TAIL: usize = 8;
/// Messages of the peer that the owner has consumed in this epoch.
pub const HEAD: usize = 16;
/// "Wake me when your tail reaches this" (0: do not).
pub const WAKE_TAIL: usize = 24;
/// "Wake me when your head reaches this" (0: do not).
pub const WAKE_HEAD: usize = 32;
/// First slot.
pub const SLOTS: usize = 64;

/// Slots of `slot_words` words that fit into a region of `words` words, rounded down to a power of two.
pub const fn capacity(words: usize, slot_words: usize) -> u64 {
    let slots = words.saturating_sub(SLOTS) / slot_words;
    if slots == 0 { 0 } else { 1 << (usize::BITS - 1 - slots.leading_zeros()) }
}
