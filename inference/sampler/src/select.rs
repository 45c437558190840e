// SPDX-License-Identifier: MIT
//! Picking the best candidates out of all logits in one pass.

use core::cmp::Ordering;

/// A token that may be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Candidate {
    /// The token id.
    pub token: u32,
    /// Its logit, later its weight in the draw.
    pub logit: f32,
}

impl Candidate {
    /// Greater logits first, lower ids first among equals: the order never depends on the machine.
    fn order(&self, other: &Self) -> Ordering {
        other.logit.total_cmp(&self.logit).then(self.token.cmp(&other.token))
    }

    fn is_worse_than(&self, other: &Self) -> bool {
        self.order(other).is_gt()
    }
}

/// The token and logit of entry `token`, if it can be chosen at all: NaN and minus infinity cannot, plus infinity
/// counts as the greatest number.
pub(crate) fn usable(token: usize, logit: f32) -> Option<Candidate> {
    let impossible = logit.is_nan() || logit == f32::NEG_INFINITY;
    // Adding zero turns -0 into 0, so that equal logits compare equal.
    (!impossible).then(|| Candidate { token: token as u32, logit: logit.min(f32::MAX) + 0.0 })
}

/// The best token; the lowest id among equals.
pub(crate) fn best(logits: &[f32]) -> Option<u32> {
    let usable = logits.iter().enumerate().filter_map(|(token, logit)| usable(token, *logit));
    let best = usable.reduce(|best, next| if best.is_worse_than(&next) { next } else { best });
    best.map(|candidate| candidate.token)
}

/// Puts the best `room.len()` candidates into `room`, best first, and returns how many there are.
#[must_use]
pub fn top(logits: &[f32], room: &mut [Candidate]) -> usize {
    let mut count = 0;
    for (token, logit) in logits.iter().enumerate() {
        let Some(candidate) = usable(token, *logit) else { continue };
        if count < room.len() {
            room[count] = candidate;
            count += 1;
            if count == room.len() && count < logits.len() {
                heapify(room);
            }
        } else if room.first().is_some_and(|worst| worst.is_worse_than(&candidate)) {
            room[0] = candidate;
            sift_down(room, 0);
        }
    }
    room[..count].sort_unstable_by(Candidate::order);
    count
}

/// Makes a heap with the worst candidate at the root.
fn heapify(heap: &mut [Candidate]) {
    (0..heap.len() / 2).rev().for_each(|at| sift_down(heap, at));
}

fn sift_down(heap: &mut [Candidate], mut at: usize) {
    loop {
        let children = [2 * at + 1, 2 * at + 2];
        let mut worst = at;
        for child in children {
            if heap.get(child).is_some_and(|candidate| candidate.is_worse_than(&heap[worst])) {
                worst = child;
            }
        }
        if worst == at {
            return;
        }
        heap.swap(at, worst);
        at = worst;
    }
}
