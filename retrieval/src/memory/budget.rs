// SPDX-License-Identifier: MIT
//! How much heap so many passages need: for those who size the heap, and those who live in it.

/// Heap that is no index: a document while it is taken in, the model's working memory, messages.
const RESERVE: usize = 16 << 20;
/// Heap that a passage takes in the indexes, at most (its vector, its words, its places).
const PER_PASSAGE: usize = 3 << 10;
/// Room for so many there is always.
const FEWEST: usize = 500;

/// Bytes of heap for so many passages.
pub const fn heap_for(passages: usize) -> usize {
    RESERVE + passages * PER_PASSAGE
}

/// Passages that a heap of so many bytes has room for.
pub const fn passages_for(heap: usize) -> usize {
    let passages = heap.saturating_sub(RESERVE) / PER_PASSAGE;
    if passages > FEWEST { passages } else { FEWEST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_has_room_for_what_it_was_made_for() {
        for passages in [500, 5_000, 25_000] {
            assert_eq!(passages_for(heap_for(passages)), passages);
        }
        assert_eq!(passages_for(0), FEWEST);
    }
}
