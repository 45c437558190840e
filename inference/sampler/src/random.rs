// SPDX-License-Identifier: MIT
//! Random numbers without state: the n-th number of a seed is computed directly.

/// The golden ratio in 64 bits, the increment of SplitMix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finishing function of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number in [0, 1) for the token at `position` of a sequence. Neighbouring seeds give unrelated sequences.
#[must_use]
pub fn uniform(seed: u64, position: u64) -> f64 {
    let bits = mix(mix(seed ^ STEP).wrapping_add(position.wrapping_add(1).wrapping_mul(STEP)));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_the_interval_evenly() {
        for seed in [0, 1, u64::MAX] {
            let mut bins = [0u32; 10];
            for position in 0..10_000 {
                bins[(uniform(seed, position) * 10.0) as usize] += 1;
            }
            assert!(bins.iter().all(|count| (850..1150).contains(count)), "seed {seed}: {bins:?}");
        }
    }

    #[test]
    fn seeds_and_positions_give_different_numbers() {
        assert_ne!(uniform(0, 0), uniform(1, 0));
        assert_ne!(uniform(0, 0), uniform(0, 1));
        assert_ne!(uniform(0, 1), uniform(STEP, 0));
    }

    /// Pinned: a change here would change every seeded answer.
    #[test]
    fn the_sequence_is_pinned() {
        assert_eq!((uniform(42, 7) * 1e9) as u64, PINNED);
    }

    const PINNED: u64 = 734_720_458;
}
