// SPDX-License-Identifier: MIT
//! A weight matrix as it stands in a file.

use core::ops::Range;

use crate::GgmlType;

/// A weight matrix (row, column) as it stands in a file.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    kind: GgmlType,
    rows: usize,
    cols: usize,
    row_bytes: usize,
    bytes: &'a [u8],
}

impl<'a> Matrix<'a> {
    /// A view of `rows` rows of `cols` elements; `None` where `bytes` has another size or blocks do not divide rows.
    #[must_use]
    pub fn new(kind: GgmlType, rows: usize, cols: usize, bytes: &'a [u8]) -> Option<Self> {
        let row_bytes = usize::try_from(kind.row_bytes(cols as u64)?).ok()?;
        let fits = rows.checked_mul(row_bytes)? == bytes.len() && cols < 1 << 31;
        fits.then_some(Self { kind, rows, cols, row_bytes, bytes })
    }

    #[must_use]
    pub fn kind(&self) -> GgmlType {
        self.kind
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Rows `range`, cut to what is there.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.rows);
        let start = range.start.min(end);
        let bytes = &self.bytes[start * self.row_bytes..end * self.row_bytes];
        Self { rows: end - start, bytes, ..*self }
    }

    /// The bytes of all rows.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of row `row`; empty where there is none.
    #[inline(always)]
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [u8] {
        self.bytes.get(row * self.row_bytes..(row + 1) * self.row_bytes).unwrap_or(&[])
    }

    /// Writes row `row` as `f32`.
    pub fn dequantize(&self, row: usize, out: &mut [f32]) {
        crate::dequantize_row(self.kind, self.row(row), out);
    }
}
