//! Gives physical addresses: contents first and in one piece, everything that starts as zeros after them.
//!
//! One design rule: nothing is copied at boot, so contents are placed where they stay; an address is handed out once.

use crate::problem::Problems;
use board_description::{Board, Range};

/// Hands out RAM in ascending order around ranges that are taken.
pub struct Layout {
    taken: Vec<(String, Range)>,
    next: u64,
    end: u64,
}

impl Layout {
    /// Free RAM from `start` to the board's end of RAM; `taken` are regions with fixed addresses.
    pub fn new(board: &Board, start: u64, taken: Vec<(String, Range)>) -> Self {
        Self { taken, next: start, end: board.ram.end() }
    }

    /// The address of `size` bytes, aligned to `1 << bits`.
    ///
    /// # Errors
    /// RAM is full: says for what and how much is missing.
    pub fn place(&mut self, size: u64, bits: u8, what: &str) -> Result<u64, Problems> {
        let align = 1_u64 << bits;
        let mut at = self.next.next_multiple_of(align);
        while let Some((_, range)) = self.taken.iter().find(|(_, range)| range.overlaps(at, size)) {
            at = range.end().next_multiple_of(align);
        }
        match at.checked_add(size).filter(|end| *end <= self.end) {
            Some(end) => {
                self.next = end;
                Ok(at)
            }
            None => {
                let missing = (at + size.min(1 << 48)).saturating_sub(self.end).div_ceil(1 << 20);
                let text = format!("RAM is full at {what} ({size:#x} bytes): {missing} MiB are missing");
                Err(Problems::one(format!(
                    "{text}; make regions smaller or give the machine more RAM (--ram)"
                )))
            }
        }
    }

    /// The region with a fixed address that lies before the end of what was placed, if any.
    pub fn fixed_below(&self, start: u64) -> Option<&(String, Range)> {
        self.taken.iter().find(|(_, range)| range.overlaps(start, self.next - start))
    }

    /// First byte past what was placed, whole pages.
    pub fn next(&self) -> u64 {
        self.next.next_multiple_of(0x1000)
    }
}

/// Merges ranges that touch.
pub fn merge(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_by_key(|range| range.base);
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges.into_iter().filter(|range| range.size > 0) {
        match merged.last_mut() {
            Some(last) if last.end() == range.base => last.size += range.size,
            _ => merged.push(range),
        }
    }
    merged
}
