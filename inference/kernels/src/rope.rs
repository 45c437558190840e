// SPDX-License-Identifier: MIT
//! Rotary position embedding: pairs of a head's elements turned by an angle that grows with the position.

/// Which elements form a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeLayout {
    /// `2i` and `2i + 1` (llama).
    Adjacent,
    /// `i` and `i + n/2` (NeoX).
    Halves,
}

/// Turns the first `2 * table.len()` elements of `head`; `table` has (cosine, sine) per pair.
#[inline(always)]
pub fn rotate(head: &mut [f32], table: &[[f32; 2]], layout: RopeLayout) {
    let n = (2 * table.len()).min(head.len());
    match layout {
        RopeLayout::Adjacent => {
            for (pair, [cos, sin]) in head[..n].as_chunks_mut::<2>().0.iter_mut().zip(table) {
                *pair = [pair[0] * cos - pair[1] * sin, pair[0] * sin + pair[1] * cos];
            }
        }
        RopeLayout::Halves => {
            let (low, high) = head[..n].split_at_mut(n / 2);
            for ((a, b), [cos, sin]) in low.iter_mut().zip(high).zip(table) {
                (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
            }
        }
    }
}
