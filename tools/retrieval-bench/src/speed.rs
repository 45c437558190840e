// SPDX-License-Identifier: MIT
//! How long a search takes: the Q8 scan, beside reading the same bytes, and BM25.
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use inference_kernels::Kernels;
use retrieval::index::{Entry, Filter, Query8, RowDots, VectorFormat, VectorIndex};
use serde::Serialize;

/// Searches timed; the best one is reported, because other programs only ever slow a search down.
const REPEATS: usize = 300;

/// Times of one size of collection.
#[derive(Clone, Debug, Serialize)]
pub struct ScanTime {
    /// The kernel's name.
    pub kernel: &'static str,
    pub vectors: usize,
    pub dims: usize,
    /// The best of several exact searches for the 10 nearest, in milliseconds.
    pub search_ms: f64,
    /// The median of them.
    pub median_ms: f64,
    /// Reading as many bytes once, in milliseconds.
    pub read_ms: f64,
    /// Bytes of the vectors over the time of a search, in GB/s.
    pub gigabytes_per_second: f64,
}

/// The kernels of the inference engine.
pub struct KernelDots(pub Kernels);

impl RowDots for KernelDots {
    fn dots(&self, query: &Query8, rows: &[i8], out: &mut [i32]) {
        self.0.row_dots_i8(&query.bytes, rows, out);
    }
}

/// Small, seeded, the same on every machine (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn vector(&mut self, dims: usize) -> Vec<f32> {
        let mut vector: Vec<f32> =
            (0..dims).map(|_| (self.next() >> 40) as f32 / 8_388_608.0 - 1.0).collect();
        retrieval::embed::normalize(&mut vector);
        vector
    }
}

fn sorted_times(repeats: usize, mut work: impl FnMut()) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

/// Reads memory as fast as one core can with ordinary code: sixteen sums side by side.
fn read_all(words: &[u64]) -> u64 {
    let mut sums = [0u64; 16];
    for chunk in words.as_chunks::<16>().0 {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*word);
        }
    }
    sums.iter().fold(0, |all, sum| all ^ sum)
}

/// Times exact searches over `count` random Q8 vectors.
///
/// # Errors
/// Vectors that the index refuses.
pub fn scan(count: usize, dims: usize, name: &'static str, kernel: &dyn RowDots) -> Result<ScanTime> {
    let mut random = Random(1);
    let mut index = VectorIndex::new(dims, VectorFormat::Q8, count);
    for id in 0..count as u64 {
        let vector = random.vector(dims);
        index.insert(Entry { id, ..Entry::default() }, &vector).map_err(|error| anyhow!("{error}"))?;
    }
    let queries: Vec<Vec<f32>> = (0..32).map(|_| random.vector(dims)).collect();
    let mut turn = 0;
    let times = sorted_times(REPEATS, || {
        turn += 1;
        let hits = index.search(&queries[turn % queries.len()], 10, &Filter::default(), kernel);
        black_box(hits.map_or(0, |hits| hits.len()));
    });
    let words = vec![1u64; index.vector_bytes() / 8];
    let reads = sorted_times(REPEATS, || {
        black_box(read_all(black_box(&words)));
    });
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let best = times[0].as_secs_f64();
    Ok(ScanTime {
        kernel: name,
        vectors: count,
        dims,
        search_ms: best * 1e3,
        median_ms: milliseconds(times[times.len() / 2]),
        read_ms: milliseconds(reads[0]),
        gigabytes_per_second: index.vector_bytes() as f64 / best / 1e9,
    })
}
