// SPDX-License-Identifier: MIT
//! Who computes what: rows of matrices and attention heads, split among workers.

use core::ops::Range;

use crate::Hyper;

/// Rows are dealt out in groups of this many: the panel of the widest kernels.
const PANEL: usize = 16;

/// The part of `count` rows that worker `index` of `workers` computes.
#[must_use]
pub(crate) fn rows(count: usize, index: usize, workers: usize) -> Range<usize> {
    let panels = count.div_ceil(PANEL);
    let at = |i: usize| (panels * i / workers * PANEL).min(count);
    at(index)..at(index + 1)
}

/// The attention heads of one worker. Where a group of Q heads is split, its K and V head is computed by both sides.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    pub(crate) q: Range<usize>,
    pub(crate) kv: Range<usize>,
}

impl Heads {
    pub(crate) fn of(hyper: &Hyper, index: usize, workers: usize) -> Self {
        let q = hyper.heads * index / workers..hyper.heads * (index + 1) / workers;
        let kv = if q.is_empty() { 0..0 } else { q.start / hyper.group()..(q.end - 1) / hyper.group() + 1 };
        Self { q, kv }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_every_row_once() {
        for count in [1, 15, 16, 17, 172, 512, 32_001] {
            for workers in 1..9 {
                let shares: std::vec::Vec<_> = (0..workers).map(|i| rows(count, i, workers)).collect();
                assert_eq!(shares[0].start, 0);
                assert_eq!(shares[workers - 1].end, count);
                assert!(shares.windows(2).all(|w| w[0].end == w[1].start));
            }
        }
    }
}
