// SPDX-License-Identifier: MIT
//! Int8 dot products of one query with many rows: the scan of a vector index.
//!
//! Integer sums have no order, so every path is exact. A search reads each row once; what counts is memory bandwidth.

use crate::{Kernels, arch};

impl Kernels {
    /// `out[i] = Σ query[j] * rows[i * query.len() + j]`. Rows beyond `out`, and an incomplete last row, are not read.
    ///
    /// Rows of up to 2^16 elements are exact.
    pub fn row_dots_i8(self, query: &[i8], rows: &[i8], out: &mut [i32]) {
        arch::row_dots_i8(self.0, query, rows, out);
    }
}

/// The definition.
#[inline(always)]
pub(crate) fn row_dots(query: &[i8], rows: &[i8], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(query.len().max(1)).zip(out) {
        *out = dot(query, row);
    }
}

/// One row.
#[inline(always)]
pub(crate) fn dot(query: &[i8], row: &[i8]) -> i32 {
    query.iter().zip(row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CpuFeatures;
    use std::vec::Vec;

    #[test]
    fn every_path_is_exact_for_every_length() {
        let mut state = 1u32;
        let mut bytes = |count: usize| -> Vec<i8> {
            let next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // The extremes often: -128 is where tricks with unsigned operands fail.
                [(state >> 24) as i8, i8::MIN, i8::MAX, (state >> 24) as i8][(state >> 8) as usize % 4]
            };
            core::iter::repeat_with(next).take(count).collect()
        };
        for length in [1, 7, 32, 63, 64, 65, 127, 128, 384, 385, 1024] {
            let (query, rows) = (bytes(length), bytes(length * 9 + 3));
            let (mut exact, mut fast) = ([0; 9], [0; 9]);
            Kernels::generic().row_dots_i8(&query, &rows, &mut exact);
            Kernels::select(CpuFeatures::detect()).row_dots_i8(&query, &rows, &mut fast);
            assert_eq!(exact, fast, "length {length}");
            let first: i64 = query.iter().zip(&rows).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
            assert_eq!(i64::from(exact[0]), first);
        }
    }
}
