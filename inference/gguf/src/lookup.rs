// SPDX-License-Identifier: MIT
//! Sorted indices: looking up a name takes logarithmic time, and finding duplicates costs one sort.

use alloc::vec::Vec;

use crate::GgufError;

/// An empty vector with room for `count` items, or the error that names them.
pub(crate) fn reserve<T>(count: u64, what: &'static str) -> Result<Vec<T>, GgufError> {
    let mut items = Vec::new();
    let room = usize::try_from(count).ok().filter(|n| items.try_reserve_exact(*n).is_ok());
    room.map(|_| items).ok_or(GgufError::OutOfMemory { what, count })
}

/// Positions of named items, sorted by name.
#[derive(Clone, Debug)]
pub(crate) struct Index(Vec<u32>);

impl Index {
    /// Sorts `items` by `name`. `Err` is the name of an item that occurs twice.
    pub(crate) fn new<'n, T>(
        items: &[T],
        what: &'static str,
        name: impl Fn(&T) -> &'n str,
        duplicate: impl Fn(&str) -> GgufError,
    ) -> Result<Self, GgufError> {
        let mut order: Vec<u32> = reserve(items.len() as u64, what)?;
        let last = u32::try_from(items.len());
        order.extend(0..last.map_err(|_| GgufError::ImpossibleCount { what, count: items.len() as u64 })?);
        let key = |i: &u32| name(&items[*i as usize]);
        order.sort_unstable_by(|a, b| key(a).cmp(key(b)));
        match order.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
            Some(pair) => Err(duplicate(key(&pair[0]))),
            None => Ok(Self(order)),
        }
    }

    /// Position of the item called `wanted`.
    pub(crate) fn find<'n, T>(
        &self,
        items: &[T],
        wanted: &str,
        name: impl Fn(&T) -> &'n str,
    ) -> Option<usize> {
        let at = self.0.binary_search_by(|i| name(&items[*i as usize]).cmp(wanted)).ok()?;
        Some(self.0[at] as usize)
    }
}
