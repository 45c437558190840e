//! The one source of chance of a hosted system: a failing run is repeated by its seed.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and every seed is a good one.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }
    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Runs `round` for `rounds` seeds, or as the environment says: `CLOISTER_SEED` (first seed), `CLOISTER_ROUNDS`.
///
/// # Panics
/// As `round` does, after the seed was printed.
pub fn for_each_seed(rounds: u64, mut round: impl FnMut(u64)) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("CLOISTER_SEED");
    let rounds = number("CLOISTER_ROUNDS").unwrap_or(if first.is_some() { 1 } else { rounds });
    let first = first.unwrap_or(1);
    for seed in first..first.saturating_add(rounds) {
        let guard = Announce(seed);
        round(seed);
        std::mem::forget(guard);
    }
}

struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        eprintln!("failed with seed {0}; repeat with CLOISTER_SEED={0}", self.0);
    }
}
