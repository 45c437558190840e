// SPDX-License-Identifier: MIT
//! Measures of rankings, averaged over questions.
use serde::Serialize;
use std::collections::BTreeMap;

/// Ranks looked at.
pub const DEPTH: usize = 100;

/// Averages over all questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Share of a question's relevant passages that are among the first 1, 5 and 10.
    pub recall_at_1: f64,
    pub recall_at_5: f64,
    pub recall_at_10: f64,
    /// One over the rank of the first relevant passage (0 beyond rank 100).
    pub mrr: f64,
    /// Discounted gain of the first 10, over the best possible.
    pub ndcg_at_10: f64,
}

/// Relevant passages among the first `k`, over all relevant ones, as trec_eval counts.
fn recall(ranking: &[usize], relevant: &BTreeMap<usize, u32>, k: usize) -> f64 {
    let found = ranking.iter().take(k).filter(|passage| relevant.contains_key(passage)).count();
    found as f64 / relevant.len().max(1) as f64
}

fn reciprocal_rank(ranking: &[usize], relevant: &BTreeMap<usize, u32>) -> f64 {
    let first = ranking.iter().take(DEPTH).position(|passage| relevant.contains_key(passage));
    first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
}

fn gain(grades: impl Iterator<Item = u32>) -> f64 {
    grades.take(10).enumerate().map(|(rank, grade)| f64::from(grade) / (rank as f64 + 2.0).log2()).sum()
}

fn ndcg(ranking: &[usize], relevant: &BTreeMap<usize, u32>) -> f64 {
    let mut ideal: Vec<u32> = relevant.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let found = gain(ranking.iter().map(|passage| relevant.get(passage).copied().unwrap_or(0)));
    found / gain(ideal.into_iter()).max(f64::MIN_POSITIVE)
}

/// Averages over (ranking, relevant passages) of each question.
pub fn average<'a>(rankings: impl Iterator<Item = (&'a [usize], &'a BTreeMap<usize, u32>)>) -> Measures {
    let (mut sum, mut count) = (Measures::default(), 0.0);
    for (ranking, relevant) in rankings {
        sum.recall_at_1 += recall(ranking, relevant, 1);
        sum.recall_at_5 += recall(ranking, relevant, 5);
        sum.recall_at_10 += recall(ranking, relevant, 10);
        sum.mrr += reciprocal_rank(ranking, relevant);
        sum.ndcg_at_10 += ndcg(ranking, relevant);
        count += 1.0;
    }
    let mean = |value: f64| value / f64::max(count, 1.0);
    Measures {
        recall_at_1: mean(sum.recall_at_1),
        recall_at_5: mean(sum.recall_at_5),
        recall_at_10: mean(sum.recall_at_10),
        mrr: mean(sum.mrr),
        ndcg_at_10: mean(sum.ndcg_at_10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ranking: &[usize], relevant: &[(usize, u32)]) -> Measures {
        let relevant = relevant.iter().copied().collect();
        average([(ranking, &relevant)].into_iter())
    }

    #[test]
    fn one_relevant_passage() {
        let third = of(&[5, 6, 7], &[(7, 1)]);
        assert_eq!((third.recall_at_1, third.recall_at_5, third.mrr), (0.0, 1.0, 1.0 / 3.0));
        assert!((third.ndcg_at_10 - 0.5).abs() < 1e-12);
        assert_eq!(of(&[5], &[(7, 1)]), Measures::default());
        assert_eq!(of(&[7], &[(7, 1)]).ndcg_at_10, 1.0);
    }

    #[test]
    fn graded_passages() {
        let measures = of(&[1, 9, 2], &[(1, 1), (2, 2), (3, 1)]);
        assert_eq!((measures.recall_at_1, measures.recall_at_5), (1.0 / 3.0, 2.0 / 3.0));
        let (found, ideal) = (1.0 + 2.0 / 2.0, 2.0 + 1.0 / 3f64.log2() + 1.0 / 2.0);
        assert!((measures.ndcg_at_10 - found / ideal).abs() < 1e-12);
    }
}
