//! Adapters in shared memory: what the trainer made for the retriever, and what the retriever loaded for compute.
//!
//! One design rule: whoever reads copies out first and compares length and checksum with what it was told; what differs
//! is not used. `retriever_adapter` holds two slots, so the adapter in use stays in place while another is written.

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Bytes of a slot: the largest adapter.
pub const SLOT: usize = 512 * 1024;
/// Slots of `retriever_adapter`.
pub const SLOTS: usize = 2;

/// An adapter in a slot of `retriever_adapter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Place {
    /// Its number in the store.
    pub version: u32,
    /// Which slot.
    pub slot: u8,
    /// Bytes.
    pub length: u32,
    /// [`checksum`] of them.
    pub checksum: u64,
}

impl Place {
    /// Where it begins in the region, and how long it is; `None` where no slot is like this.
    pub fn range(&self) -> Option<(usize, usize)> {
        let length = self.length as usize;
        let exists = usize::from(self.slot) < SLOTS && (1..=SLOT).contains(&length);
        exists.then(|| (usize::from(self.slot) * SLOT, length))
    }
}

/// FNV-1a of 64 bits, by words of 8 bytes and then the rest: finds damage, not forgery.
pub fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let (words, rest) = bytes.as_chunks::<8>();
    let mixed = words.iter().fold(0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64, |hash, word| {
        (hash ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME).rotate_left(29)
    });
    rest.iter().fold(mixed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_bit_changes_the_checksum() {
        let mut bytes = [7; 100];
        let whole = checksum(&bytes);
        for bit in 0..800 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(&bytes), whole);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_ne!(checksum(&bytes[..99]), whole);
    }

    #[test]
    fn only_slots_that_exist_have_a_range() {
        let place = Place { version: 1, slot: 1, length: 10, checksum: 0 };
        assert_eq!(place.range(), Some((SLOT, 10)));
        for bad in
            [Place { slot: 2, ..place }, Place { length: 0, ..place }, Place { length: u32::MAX, ..place }]
        {
            assert_eq!(bad.range(), None);
        }
    }
}
