// SPDX-License-Identifier: MIT
//! Int8 dot products of one query with many rows.
use alloc::vec::Vec;

/// A query in the forms that kernels want.
pub struct Query8 {
    /// The quantised query.
    pub bytes: Vec<i8>,
    /// The same, widened: spares the portable loop half of its conversions.
    pub wide: Vec<i16>,
    /// `query ≈ scale * bytes`.
    pub scale: f32,
}

impl Query8 {
    /// Quantises a query.
    pub fn new(query: &[f32]) -> Self {
        let mut bytes = alloc::vec![0; query.len()];
        let scale = super::quantize(query, &mut bytes);
        let wide = bytes.iter().map(|&byte| i16::from(byte)).collect();
        Self { bytes, wide, scale }
    }
}

/// A kernel: the caller of a search picks the one that suits the machine.
pub trait RowDots {
    /// `out[i] = Σ query.bytes[j] * rows[i * dims + j]`, exactly, where `dims = query.bytes.len()`.
    fn dots(&self, query: &Query8, rows: &[i8], out: &mut [i32]);
}

/// Ordinary Rust that the compiler vectorises: right everywhere, and the oracle for faster kernels.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortableDots;

impl RowDots for PortableDots {
    fn dots(&self, query: &Query8, rows: &[i8], out: &mut [i32]) {
        for (row, out) in rows.chunks_exact(query.wide.len().max(1)).zip(out) {
            *out = query.wide.iter().zip(row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
        }
    }
}
