// SPDX-License-Identifier: MIT
//! Reciprocal rank fusion: what several searches rank high comes first, whatever their scores mean.
//!
//! Source: Cormack, Clarke and Büttcher, Reciprocal Rank Fusion (SIGIR 2009).
use alloc::vec::Vec;

use super::Hit;

/// One search's answer, best first, and how much its ranks count.
#[derive(Clone, Copy, Debug)]
pub struct Ranked<'a> {
    /// Best first.
    pub hits: &'a [Hit],
    /// 1 for an ordinary part.
    pub weight: f32,
}

/// How fast a rank loses value, and how much each part counts.
#[derive(Clone, Copy, Debug)]
pub struct RrfParameters {
    /// A hit at rank r (from 1) counts `weight / (k + r)`. The paper's 60 suits many weak rankings; of two strong ones the
    /// first ranks say more (measured in docs/performance.md).
    pub k: f32,
    /// Weight of the vectors' ranks.
    pub vectors: f32,
    /// Weight of the words' ranks.
    pub words: f32,
}

impl Default for RrfParameters {
    fn default() -> Self {
        Self { k: 5.0, vectors: 1.0, words: 1.0 }
    }
}

/// Fuses rankings into the `k` best; among equals the earlier part's order holds.
pub fn fuse(parts: &[Ranked<'_>], k: usize, parameters: RrfParameters) -> Vec<Hit> {
    let mut fused: Vec<Hit> = Vec::new();
    for part in parts {
        for (rank, hit) in part.hits.iter().enumerate() {
            let score = part.weight / (parameters.k + rank as f32 + 1.0);
            match fused.iter_mut().find(|other| other.id == hit.id) {
                Some(other) => other.score += score,
                None => fused.push(Hit { id: hit.id, score }),
            }
        }
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score));
    fused.truncate(k);
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_beats_one_high_rank() {
        let hits = |ids: [u64; 3]| ids.map(|id| Hit { id, score: 0.0 });
        let (words, vectors) = (hits([1, 2, 3]), hits([4, 2, 5]));
        let parts = [Ranked { hits: &words, weight: 1.0 }, Ranked { hits: &vectors, weight: 1.0 }];
        let fused = fuse(&parts, 3, RrfParameters::default());
        assert_eq!(fused.iter().map(|hit| hit.id).collect::<Vec<_>>(), [2, 1, 4]);
    }
}
