// SPDX-License-Identifier: MIT
//! From text to token id: an open-addressing table of 32-bit ids over the strings in the file.
//!
//! Four bytes per slot, at most two thirds full; the strings themselves are compared in place. The hash is not
//! secret, so a file can be made whose texts collide: the length of a probe is bounded and such a file refused.

use alloc::vec::Vec;

use crate::error::TokenizerError;
use crate::strings::StringTable;

/// With an honest vocabulary of 2^18 tokens the longest probe is below 100.
const LONGEST_PROBE: usize = 512;
const EMPTY: u32 = u32::MAX;

/// Finds token ids by text.
#[derive(Debug)]
pub(crate) struct TokenIndex {
    slots: Vec<u32>,
}

impl TokenIndex {
    /// Indexes every text that is not empty (an empty token can be generated but never found in a text).
    ///
    /// # Errors
    /// [`TokenizerError::DuplicateToken`], [`TokenizerError::CollidingTokens`], no memory.
    pub fn new(strings: &StringTable<'_>) -> Result<Self, TokenizerError> {
        let size = (strings.len() + strings.len() / 2 + 1).next_power_of_two();
        let mut slots = Vec::new();
        slots.try_reserve_exact(size)?;
        slots.resize(size, EMPTY);
        let mut index = Self { slots };
        for id in 0..strings.len() as u32 {
            if !strings.get(id).is_empty() {
                index.insert(strings, id)?;
            }
        }
        Ok(index)
    }

    fn insert(&mut self, strings: &StringTable<'_>, id: u32) -> Result<(), TokenizerError> {
        let text = strings.get(id);
        for slot in self.probe(text, &[]) {
            match self.slots[slot] {
                EMPTY => {
                    self.slots[slot] = id;
                    return Ok(());
                }
                first if strings.get(first) == text => {
                    return Err(TokenizerError::DuplicateToken { first, second: id });
                }
                _ => {}
            }
        }
        Err(TokenizerError::CollidingTokens)
    }

    /// The token whose text is `text`.
    pub fn find(&self, strings: &StringTable<'_>, text: &[u8]) -> Option<u32> {
        self.find_joined(strings, text, &[])
    }

    /// The token whose text is `left` followed by `right`.
    pub fn find_joined(&self, strings: &StringTable<'_>, left: &[u8], right: &[u8]) -> Option<u32> {
        if left.len() + right.len() > strings.longest() {
            return None;
        }
        for slot in self.probe(left, right) {
            match self.slots[slot] {
                EMPTY => return None,
                id if is_joined(strings.get(id), left, right) => return Some(id),
                _ => {}
            }
        }
        None
    }

    /// The slots to look at, in order. `slots.len()` is a power of two.
    fn probe(&self, left: &[u8], right: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len() - 1;
        let start = hash(left, right) as usize;
        (0..LONGEST_PROBE.min(mask + 1)).map(move |step| start.wrapping_add(step) & mask)
    }
}

fn is_joined(text: &[u8], left: &[u8], right: &[u8]) -> bool {
    text.len() == left.len() + right.len() && text.starts_with(left) && text.ends_with(right)
}

/// FNV-1a over both parts, then a finishing multiplication so that the low bits depend on all bytes.
pub(crate) fn hash(left: &[u8], right: &[u8]) -> u64 {
    #[cfg(test)]
    crate::tests::count(left.len() + right.len());
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = left.iter().chain(right).fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24
}
