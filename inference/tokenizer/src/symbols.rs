// SPDX-License-Identifier: MIT
//! The doubly linked list of pieces that the merging algorithms shorten, in one vector.

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::EncodeError;

/// No neighbour, no token.
pub(crate) const NONE: u32 = u32::MAX;

/// A piece of the text: `text[start..start + length]`. A length of 0 marks a piece that was merged away.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    start: u32,
    length: u32,
    before: u32,
    after: u32,
}

/// The pieces in order. Piece 0 is always the first.
#[derive(Debug, Default)]
pub(crate) struct Symbols(Vec<Symbol>);

impl Symbols {
    /// Starts anew with one piece per character of `text`, which is UTF-8.
    ///
    /// # Errors
    /// No memory.
    pub fn set_characters(&mut self, text: &[u8]) -> Result<(), EncodeError> {
        let starts_character = |byte: &u8| *byte & 0xc0 != 0x80;
        let count = text.iter().filter(|byte| starts_character(byte)).count();
        self.0.clear();
        self.0.try_reserve(count)?;
        for (at, byte) in text.iter().enumerate() {
            match self.0.last_mut() {
                Some(last) if !starts_character(byte) => last.length += 1,
                _ => self.0.push(Symbol::new(at, self.0.len(), count)),
            }
        }
        Ok(())
    }

    /// Starts anew with one piece for each of `count` bytes.
    ///
    /// # Errors
    /// No memory.
    pub fn set_bytes(&mut self, count: usize) -> Result<(), EncodeError> {
        self.0.clear();
        self.0.try_reserve(count)?;
        self.0.extend((0..count).map(|at| Symbol::new(at, at, count)));
        Ok(())
    }

    /// The number of pieces at the start.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The piece after `left`, and the range of text that both cover.
    pub fn pair(&self, left: u32) -> Option<(u32, Range<usize>)> {
        let first = self.0.get(left as usize)?;
        let second = self.0.get(first.after as usize)?;
        let start = first.start as usize;
        Some((first.after, start..start + (first.length + second.length) as usize))
    }

    /// The piece before `symbol`.
    pub fn before(&self, symbol: u32) -> Option<u32> {
        self.0.get(symbol as usize).map(|symbol| symbol.before).filter(|before| *before != NONE)
    }

    /// Merges `right` into `left` if both are still there and together as long as when they were considered.
    pub fn join(&mut self, left: u32, right: u32, length: u32) -> bool {
        let (first, second) = (self.0[left as usize], self.0[right as usize]);
        if first.length == 0 || second.length == 0 || first.length + second.length != length {
            return false;
        }
        self.0[left as usize] = Symbol { length, after: second.after, ..first };
        self.0[right as usize].length = 0;
        if let Some(after) = self.0.get_mut(second.after as usize) {
            after.before = left;
        }
        true
    }

    /// The pieces that are left, in order: number and range of text.
    pub fn left(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let left = self.0.iter().enumerate().filter(|(_, symbol)| symbol.length > 0);
        left.map(|(index, symbol)| (index, symbol.start as usize..(symbol.start + symbol.length) as usize))
    }
}

impl Symbol {
    fn new(start: usize, index: usize, count: usize) -> Self {
        let before = index.checked_sub(1).map_or(NONE, |before| before as u32);
        let after = if index + 1 < count { index as u32 + 1 } else { NONE };
        Self { start: start as u32, length: 1, before, after }
    }
}
