// SPDX-License-Identifier: MIT
//! How fast this machine reads a file's bytes from memory: the limit of generation, which reads every weight per token.

use std::sync::Barrier;
use std::time::Instant;

/// Bytes that a measurement reads at least.
const ENOUGH: usize = 1 << 28;
/// Measurements, of which the best counts.
const TRIES: usize = 3;

/// GB/s at which `threads` threads together read `bytes`, each its own part. Small files are read several times, from
/// the caches that hold them.
pub fn speed(bytes: &[u8], threads: usize) -> f64 {
    let words = bytes.as_chunks::<64>().0;
    let passes = ENOUGH.div_ceil(bytes.len().max(1));
    let share = words.len().div_ceil(threads.max(1)).max(1);
    let best = (0..TRIES).map(|_| seconds(words, share, passes)).fold(f64::INFINITY, f64::min);
    (words.len() * 64 * passes) as f64 / best / 1e9
}

/// Seconds until the last thread has read its `share` of `words`.
fn seconds(words: &[[u8; 64]], share: usize, passes: usize) -> f64 {
    let start = Barrier::new(words.chunks(share).len());
    let read = |part: &[[u8; 64]]| {
        start.wait();
        let begin = Instant::now();
        for _ in 0..passes {
            std::hint::black_box(sum(std::hint::black_box(part)));
        }
        begin.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let read = &read;
        let threads: Vec<_> = words.chunks(share).map(|part| scope.spawn(move || read(part))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).fold(0.0, f64::max)
    })
}

/// The sum of all words, in sixteen sums, so that additions do not wait for each other.
fn sum(words: &[[u8; 64]]) -> u32 {
    let mut sums = [0u32; 16];
    for line in words {
        for (sum, word) in sums.iter_mut().zip(line.as_chunks::<4>().0) {
            *sum = sum.wrapping_add(u32::from_ne_bytes(*word));
        }
    }
    sums.into_iter().fold(0, u32::wrapping_add)
}
