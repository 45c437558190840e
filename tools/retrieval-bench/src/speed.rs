// SPDX-License-Identifier: MIT
//! How long a search takes: the Q8 scan beside reading the same bytes, its recall, and published indexes.
//!
//! One design rule: one thread each, single queries, the best time of many: other programs only ever slow a search down.
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use inference_kernels::Kernels;
use retrieval::embed::normalize;
use retrieval::index::{Entry, Filter, Hit, PortableDots, Query8, RowDots, VectorFormat, VectorIndex};
use serde::Serialize;
use serde_json::{Value, json};

/// Queries timed.
const QUERIES: usize = 200;
/// Searches timed beside reading as many bytes.
const PAIRS: usize = 400;
/// Nearest vectors wanted.
const K: usize = 10;
/// Centres around which vectors lie: like texts, they have near and far neighbours.
const CENTRES: usize = 500;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers.py");

/// The kernels of the inference engine.
pub struct KernelDots(pub Kernels);

impl RowDots for KernelDots {
    fn dots(&self, query: &Query8, rows: &[i8], out: &mut [i32]) {
        self.0.row_dots_i8(&query.bytes, rows, out);
    }
}

/// Times of one index.
#[derive(Clone, Debug, Serialize)]
pub struct ScanTime {
    /// The kernel's name.
    pub kernel: String,
    pub vectors: usize,
    pub dims: usize,
    /// The fastest search for the 10 nearest, in milliseconds.
    pub search_ms: f64,
    /// The median of all searches.
    pub median_ms: f64,
    /// Share of the exact 10 nearest that are found.
    pub recall_at_10: f64,
    /// Bytes of the vectors over the time of the fastest search, in GB/s.
    pub gigabytes_per_second: f64,
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

    fn noise(&mut self, dims: usize) -> Vec<f32> {
        (0..dims).map(|_| (self.next() >> 40) as f32 / 8_388_608.0 - 1.0).collect()
    }
}

/// Vectors around centres, of length one; the last [`QUERIES`] are to be searched for.
fn vectors(count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = Random(1);
    let centres: Vec<Vec<f32>> = (0..CENTRES).map(|_| random.noise(dims)).collect();
    let one = |_| {
        let centre = &centres[random.next() as usize % CENTRES];
        let mut vector: Vec<f32> = centre.iter().zip(random.noise(dims)).map(|(a, b)| a + b).collect();
        normalize(&mut vector);
        vector
    };
    (0..count + QUERIES).map(one).collect()
}

fn index_of(vectors: &[Vec<f32>], format: VectorFormat) -> Result<VectorIndex> {
    let dims = vectors.first().map_or(0, Vec::len);
    let mut index = VectorIndex::new(dims, format, vectors.len());
    for (id, vector) in vectors.iter().enumerate() {
        let entry = Entry { id: id as u64, ..Entry::default() };
        index.insert(entry, vector).map_err(|error| anyhow!("{error}"))?;
    }
    Ok(index)
}

fn search(index: &VectorIndex, query: &[f32], kernel: &dyn RowDots) -> Vec<Hit> {
    index.search(query, K, &Filter::default(), kernel).unwrap_or_default()
}

/// Milliseconds of each call, sorted.
fn times(count: usize, mut work: impl FnMut(usize)) -> Vec<f64> {
    let one = |turn| {
        let start = Instant::now();
        work(turn);
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..count).map(one).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Reads memory as fast as ordinary code does on one core: sixteen sums side by side.
fn read_all(words: &[u64]) -> u64 {
    let mut sums = [0u64; 16];
    for chunk in words.as_chunks::<16>().0 {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*word);
        }
    }
    sums.iter().fold(0, |all, sum| all ^ sum)
}

fn scan(
    index: &VectorIndex,
    queries: &[Vec<f32>],
    exact: &[Vec<Hit>],
    name: &str,
    kernel: &dyn RowDots,
) -> ScanTime {
    let sorted = times(queries.len(), |turn| drop(black_box(search(index, &queries[turn], kernel))));
    let shared = |(query, exact): (&Vec<f32>, &Vec<Hit>)| {
        let found = search(index, query, kernel);
        found.iter().filter(|hit| exact.iter().any(|other| other.id == hit.id)).count()
    };
    let found: usize = queries.iter().zip(exact).map(shared).sum();
    ScanTime {
        kernel: format!("ours, exact Q8, {name}"),
        vectors: index.len(),
        dims: index.dims(),
        search_ms: sorted[0],
        median_ms: sorted[sorted.len() / 2],
        recall_at_10: found as f64 / (K * queries.len()) as f64,
        gigabytes_per_second: index.vector_bytes() as f64 / sorted[0] / 1e6,
    }
}

/// Milliseconds of a call that is not worth sorting.
fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

/// How much longer a search takes than reading the same bytes, in turns on the same machine at the same moment: which
/// of a pair comes first alternates. The median of the pairs' ratios, and the ratio of the best times.
fn pairs(index: &VectorIndex, words: &[u64], queries: &[Vec<f32>], kernel: &dyn RowDots) -> Value {
    let read = || {
        time(|| {
            black_box(read_all(black_box(words)));
        })
    };
    let find = |turn: usize| time(|| drop(black_box(search(index, &queries[turn % queries.len()], kernel))));
    let mut pairs: Vec<(f64, f64)> = (0..PAIRS)
        .map(|turn| match turn % 2 {
            0 => (read(), find(turn)),
            _ => {
                let found = find(turn);
                (read(), found)
            }
        })
        .collect();
    let best = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).fold(f64::MAX, f64::min);
    let best_ratio = best(|pair| pair.1) / best(|pair| pair.0);
    pairs.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (reading, search) = pairs[PAIRS / 2];
    json!({"pairs": PAIRS, "median_ratio": search / reading, "best_ratio": best_ratio})
}

/// Times our scan over `count` vectors with the portable and the machine's kernel, and the peers where `python` has them.
///
/// # Errors
/// Vectors that an index refuses; a peers' script that fails.
pub fn measure(count: usize, dims: usize, kernels: Kernels, python: Option<&Path>) -> Result<Value> {
    let all = vectors(count, dims);
    let (stored, queries) = all.split_at(count);
    let exact = index_of(stored, VectorFormat::F32)?;
    let exact: Vec<Vec<Hit>> = queries.iter().map(|query| search(&exact, query, &PortableDots)).collect();
    let index = index_of(stored, VectorFormat::Q8)?;
    let words = vec![1u64; index.vector_bytes() / 8];
    let reads = times(QUERIES, |_| {
        black_box(read_all(black_box(&words)));
    });
    let ours = [
        scan(&index, queries, &exact, "portable", &PortableDots),
        scan(&index, queries, &exact, kernels.name(), &KernelDots(kernels)),
    ];
    let beside = pairs(&index, &words, queries, &KernelDots(kernels));
    let peers = python.map(|python| run_peers(python, stored, queries, dims)).transpose()?;
    Ok(
        json!({"vectors": count, "read_same_bytes_ms": reads[0], "beside_reading": beside, "ours": ours, "peers": peers}),
    )
}

/// Writes the vectors to files and runs the script on them.
fn run_peers(python: &Path, vectors: &[Vec<f32>], queries: &[Vec<f32>], dims: usize) -> Result<Value> {
    let folder = std::env::temp_dir().join(format!("cloister-retrieval-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let write = |name: &str, vectors: &[Vec<f32>]| {
        let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(folder.join(name), bytes)
    };
    write("vectors", vectors)
        .and_then(|()| write("queries", queries))
        .context("writing vectors for the peers")?;
    let mut command = Command::new(python);
    command.arg(SCRIPT).arg(folder.join("vectors")).arg(folder.join("queries")).arg(dims.to_string());
    let output = command.output().with_context(|| format!("running {}", python.display()));
    std::fs::remove_dir_all(&folder)?;
    let output = output?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.success(),
        "{SCRIPT} failed (it needs numpy, faiss-cpu, usearch, hnswlib): {error}"
    );
    serde_json::from_slice(&output.stdout).context("the peers' script printed no JSON")
}
