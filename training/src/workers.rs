// SPDX-License-Identifier: MIT
//! Who does the work: one thread, or as many as the host has. Results do not depend on it.

/// Runs jobs, possibly several at a time.
pub trait Workers {
    /// Calls `job` once for every item, with its index, and returns when all are done.
    fn each<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Sync);
}

/// The calling thread alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Workers for Alone {
    fn each<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Sync) {
        items.iter_mut().enumerate().for_each(|(index, item)| job(index, item));
    }
}
