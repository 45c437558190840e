// SPDX-License-Identifier: MIT
//! Exact nearest neighbours: every vector is compared, nothing is approximated but the chosen number format.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use half::f16;

use super::dot::{Query8, RowDots};
use super::{Entry, Filter, Hit, IndexError, TopK};

/// Rows per call of the int8 kernel: their results stay in the first-level cache.
const BLOCK: usize = 128;

/// How vectors are kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorFormat {
    /// 4 bytes per value.
    F32,
    /// 2 bytes per value.
    F16,
    /// 1 byte per value and one scale per vector.
    Q8,
}

enum Rows {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Q8 { values: Vec<i8>, scales: Vec<f32> },
}

/// Quantises to `values ≈ scale * out` and returns the scale; the largest magnitude becomes 127.
pub fn quantize(values: &[f32], out: &mut [i8]) -> f32 {
    let largest = values.iter().fold(0.0f32, |max, value| max.max(libm::fabsf(*value)));
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    for (value, out) in values.iter().zip(out) {
        *out = libm::roundf(value * inverse) as i8;
    }
    largest / 127.0
}

/// The inverse of [`quantize`].
pub fn dequantize(values: &[i8], scale: f32, out: &mut [f32]) {
    values.iter().zip(out).for_each(|(value, out)| *out = f32::from(*value) * scale);
}

/// Vectors of one embedding: (passages, dims), row by row.
pub struct VectorIndex {
    dims: usize,
    limit: usize,
    rows: Rows,
    entries: Vec<Entry>,
    row_of: BTreeMap<u64, u32>,
}

/// Makes room for one more row by doubling, and never beyond `limit` rows.
fn grow<T>(values: &mut Vec<T>, per_row: usize, limit: usize) -> Result<(), IndexError> {
    if values.len() + per_row <= values.capacity() {
        return Ok(());
    }
    let most = (per_row * limit).max(values.len() + per_row);
    let wanted = (values.len() * 2).max(per_row * 64).min(most);
    values.try_reserve_exact(wanted - values.len()).map_err(|_| IndexError::OutOfMemory)
}

/// Moves the last row into place `row` and drops the last.
fn swap_remove<T: Copy>(values: &mut Vec<T>, per_row: usize, row: usize) {
    let last = values.len() - per_row;
    values.copy_within(last.., row * per_row);
    values.truncate(last);
}

impl VectorIndex {
    /// An empty index for vectors of `dims` values, at most `limit` of them.
    pub fn new(dims: usize, format: VectorFormat, limit: usize) -> Self {
        let rows = match format {
            VectorFormat::F32 => Rows::F32(Vec::new()),
            VectorFormat::F16 => Rows::F16(Vec::new()),
            VectorFormat::Q8 => Rows::Q8 { values: Vec::new(), scales: Vec::new() },
        };
        let limit = limit.min(u32::MAX as usize);
        Self { dims, limit, rows, entries: Vec::new(), row_of: BTreeMap::new() }
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there is no vector.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Values per vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Bytes of the vectors themselves: what a search reads.
    pub fn vector_bytes(&self) -> usize {
        match &self.rows {
            Rows::F32(values) => values.len() * 4,
            Rows::F16(values) => values.len() * 2,
            Rows::Q8 { values, scales } => values.len() + scales.len() * 4,
        }
    }

    fn check(&self, vector: &[f32]) -> Result<(), IndexError> {
        if vector.len() != self.dims {
            return Err(IndexError::WrongDimensions { expected: self.dims, found: vector.len() });
        }
        if vector.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(IndexError::NotFinite) }
    }

    /// Adds or replaces a vector; scores are cosines if it is normalised.
    ///
    /// # Errors
    /// [`IndexError`]; the index is unchanged, but for a vector of the same id, which is gone.
    pub fn insert(&mut self, entry: Entry, vector: &[f32]) -> Result<(), IndexError> {
        self.check(vector)?;
        self.make_row(entry.id)?;
        match &mut self.rows {
            Rows::F32(values) => values.extend_from_slice(vector),
            Rows::F16(values) => values.extend(vector.iter().map(|value| f16::from_f32(*value))),
            Rows::Q8 { values, scales } => {
                let start = values.len();
                values.resize(start + self.dims, 0);
                scales.push(quantize(vector, &mut values[start..]));
            }
        }
        self.push_entry(entry);
        Ok(())
    }

    /// Adds or replaces a vector that is already quantised.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn insert_q8(&mut self, entry: Entry, bytes: &[i8], scale: f32) -> Result<(), IndexError> {
        if bytes.len() != self.dims {
            return Err(IndexError::WrongDimensions { expected: self.dims, found: bytes.len() });
        }
        if !scale.is_finite() {
            return Err(IndexError::NotFinite);
        }
        if !matches!(self.rows, Rows::Q8 { .. }) {
            let mut vector = alloc::vec![0.0; self.dims];
            dequantize(bytes, scale, &mut vector);
            return self.insert(entry, &vector);
        }
        self.make_row(entry.id)?;
        if let Rows::Q8 { values, scales } = &mut self.rows {
            values.extend_from_slice(bytes);
            scales.push(scale);
        }
        self.push_entry(entry);
        Ok(())
    }

    /// Removes the old row of this id, and reserves memory for a new one.
    fn make_row(&mut self, id: u64) -> Result<(), IndexError> {
        self.remove(id);
        if self.entries.len() >= self.limit {
            return Err(IndexError::Full { limit: self.limit });
        }
        grow(&mut self.entries, 1, self.limit)?;
        match &mut self.rows {
            Rows::F32(values) => grow(values, self.dims, self.limit),
            Rows::F16(values) => grow(values, self.dims, self.limit),
            Rows::Q8 { values, scales } => {
                grow(scales, 1, self.limit)?;
                grow(values, self.dims, self.limit)
            }
        }
    }

    fn push_entry(&mut self, entry: Entry) {
        self.row_of.insert(entry.id, self.entries.len() as u32);
        self.entries.push(entry);
    }

    /// Changes what is known about a passage; `false` if it has no vector.
    pub fn set_entry(&mut self, entry: Entry) -> bool {
        let row = self.row_of.get(&entry.id).and_then(|row| self.entries.get_mut(*row as usize));
        row.map(|known| *known = entry).is_some()
    }

    /// True if there is a vector of this id.
    pub fn contains(&self, id: u64) -> bool {
        self.row_of.contains_key(&id)
    }

    /// The ids of all vectors.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.row_of.keys().copied()
    }

    /// Removes a vector; `false` if there is none of this id.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some(row) = self.row_of.remove(&id) else { return false };
        let row = row as usize;
        match &mut self.rows {
            Rows::F32(values) => swap_remove(values, self.dims, row),
            Rows::F16(values) => swap_remove(values, self.dims, row),
            Rows::Q8 { values, scales } => {
                swap_remove(scales, 1, row);
                swap_remove(values, self.dims, row);
            }
        }
        self.entries.swap_remove(row);
        if let Some(moved) = self.entries.get(row) {
            self.row_of.insert(moved.id, row as u32);
        }
        true
    }

    /// The `k` passages whose vectors have the highest dot product with the query, best first.
    ///
    /// # Errors
    /// [`IndexError::WrongDimensions`], [`IndexError::NotFinite`].
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        filter: &Filter<'_>,
        kernel: &dyn RowDots,
    ) -> Result<Vec<Hit>, IndexError> {
        self.check(query)?;
        let mut top = TopK::new(k);
        match &self.rows {
            Rows::F32(values) => self.scan(filter, &mut top, |row| dot_f32(query, self.row(values, row))),
            Rows::F16(values) => self.scan(filter, &mut top, |row| dot_f16(query, self.row(values, row))),
            Rows::Q8 { values, scales } => {
                self.scan_q8(&Query8::new(query), values, scales, filter, kernel, &mut top)
            }
        }
        Ok(top.into_sorted().into_iter().map(|(score, id)| Hit { id, score }).collect())
    }

    fn row<'a, T>(&self, values: &'a [T], row: usize) -> &'a [T] {
        &values[row * self.dims..(row + 1) * self.dims]
    }

    fn scan(&self, filter: &Filter<'_>, top: &mut TopK<u64>, score: impl Fn(usize) -> f32) {
        for (row, entry) in self.entries.iter().enumerate() {
            if filter.admits(entry) {
                top.push(score(row), entry.id);
            }
        }
    }

    fn scan_q8(
        &self,
        query: &Query8,
        values: &[i8],
        scales: &[f32],
        filter: &Filter<'_>,
        kernel: &dyn RowDots,
        top: &mut TopK<u64>,
    ) {
        let (mut dots, mut scores) = ([0; BLOCK], [0.0; BLOCK]);
        let blocks =
            values.chunks(BLOCK * self.dims.max(1)).zip(scales.chunks(BLOCK)).zip(self.entries.chunks(BLOCK));
        for ((values, scales), entries) in blocks {
            let (dots, scores) = (&mut dots[..scales.len()], &mut scores[..scales.len()]);
            kernel.dots(query, values, dots);
            let least = top.threshold();
            // Most blocks hold nothing better than what there is, which this finds out without a branch per row.
            let mut better = false;
            for ((score, dot), scale) in scores.iter_mut().zip(dots).zip(scales) {
                *score = *dot as f32 * scale * query.scale;
                better |= *score > least;
            }
            if better {
                push_all(scores, entries, filter, top);
            }
        }
    }

    /// Sorts hits anew by exact vectors, which `fetch` copies out (from the store) and says whether it has.
    pub fn rerank(query: &[f32], hits: &mut [Hit], mut fetch: impl FnMut(u64, &mut Vec<f32>) -> bool) {
        let mut vector = Vec::new();
        for hit in hits.iter_mut() {
            if fetch(hit.id, &mut vector) && vector.len() == query.len() {
                hit.score = dot_f32(query, &vector);
            }
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
}

/// Offers the rows of a block.
fn push_all(scores: &[f32], entries: &[Entry], filter: &Filter<'_>, top: &mut TopK<u64>) {
    for (score, entry) in scores.iter().zip(entries) {
        if *score > top.threshold() && (filter.is_open() || filter.admits(entry)) {
            top.push(*score, entry.id);
        }
    }
}

/// Eight sums side by side, so that the compiler may keep them in one vector register.
fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |value| *value)
}

fn dot_f16(a: &[f32], b: &[f16]) -> f32 {
    lanes(a, b, |value| value.to_f32())
}

fn lanes<T>(a: &[f32], b: &[T], widen: impl Fn(&T) -> f32) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * widen(b)).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * widen(b);
        }
    }
    sums.iter().sum::<f32>() + rest
}
