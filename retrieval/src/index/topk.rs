// SPDX-License-Identifier: MIT
//! The k best of a stream of scores.
use alloc::vec::Vec;

/// Keeps the `k` highest scores; among equal ones, those that came first.
#[derive(Debug)]
pub struct TopK<T> {
    k: usize,
    /// Best first.
    best: Vec<(f32, T)>,
}

impl<T> TopK<T> {
    /// For the `k` best, at most 65,536.
    pub fn new(k: usize) -> Self {
        let k = k.min(1 << 16);
        Self { k, best: Vec::with_capacity(k.min(256)) }
    }

    /// Scores at or below this would be dropped.
    pub fn threshold(&self) -> f32 {
        if self.best.len() < self.k {
            f32::NEG_INFINITY
        } else {
            self.best.last().map_or(f32::INFINITY, |last| last.0)
        }
    }

    /// Offers an item; NaN is never kept.
    pub fn push(&mut self, score: f32, item: T) {
        let keep = score > self.threshold() || (score == f32::NEG_INFINITY && self.best.len() < self.k);
        if !keep {
            return;
        }
        let at = self.best.partition_point(|(other, _)| *other >= score);
        if self.best.len() == self.k {
            self.best.pop();
        }
        self.best.insert(at, (score, item));
    }

    /// The best, best first.
    pub fn into_sorted(self) -> Vec<(f32, T)> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_best_in_order_and_the_first_of_equals() {
        let mut top = TopK::new(3);
        for (index, score) in [1.0, 5.0, f32::NAN, 3.0, 5.0, 2.0, 3.0].into_iter().enumerate() {
            top.push(score, index);
        }
        assert_eq!(top.into_sorted(), [(5.0, 1), (5.0, 4), (3.0, 3)]);
        let mut none = TopK::new(0);
        none.push(1.0, ());
        assert!(none.into_sorted().is_empty());
    }
}
