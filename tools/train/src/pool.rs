// SPDX-License-Identifier: MIT
//! Threads for training.

use anyhow::{Context, Result, ensure};
use inference_kernels::{CpuFeatures, Kernels};
use rayon::prelude::*;
use training::Workers;

/// A pool of threads.
pub struct Pool(rayon::ThreadPool);

impl Pool {
    /// `threads` of them.
    pub fn new(threads: usize) -> Result<Self> {
        ensure!(threads > 0, "use at least one thread");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Ok(Self(pool.context("cannot start threads")?))
    }

    /// Runs `job` where parallel iterators use this pool.
    pub fn install<R: Send>(&self, job: impl FnOnce() -> R + Send) -> R {
        self.0.install(job)
    }
}

impl Workers for Pool {
    fn each<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Sync) {
        self.0
            .install(|| items.par_iter_mut().with_max_len(1).enumerate().for_each(|(i, item)| job(i, item)));
    }
}

/// Cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The kernels of this machine.
pub fn kernels() -> Kernels {
    Kernels::select(CpuFeatures::detect())
}
