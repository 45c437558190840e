// SPDX-License-Identifier: MIT
//! Views of matrices with any strides.

use crate::gemm::Tile;

/// A matrix that is read: element (row, column) is `data[row * row_step + column * col_step]`.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    row_step: usize,
    col_step: usize,
}

impl<'a> Operand<'a> {
    /// Rows of `cols` elements that begin `stride` elements apart.
    ///
    /// # Panics
    /// Where `data` is too short: the caller chose the shape.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(rows == 0 || (rows - 1) * stride + cols <= data.len(), "a matrix outside its memory");
        Self { data, rows, cols, row_step: stride, col_step: 1 }
    }

    /// Rows that follow one another.
    ///
    /// # Panics
    /// As [`Operand::new`].
    #[must_use]
    pub fn dense(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols)
    }

    /// The same elements with rows and columns exchanged.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_step: self.col_step, col_step: self.row_step, ..self }
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// `height` rows from `row` on, `width` columns from `col` on.
    #[inline(always)]
    pub(crate) fn part(self, row: usize, height: usize, col: usize, width: usize) -> Self {
        let start = row * self.row_step + col * self.col_step;
        Self { data: &self.data[start..], rows: height, cols: width, ..self }
    }

    /// The elements of `row` where they follow one another.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> Option<&'a [f32]> {
        (self.col_step == 1).then(|| &self.data[row * self.row_step..][..self.cols])
    }

    /// The elements of `col`, from `row` on, where they follow one another.
    #[inline(always)]
    pub(crate) fn column(&self, col: usize, row: usize) -> &'a [f32] {
        &self.data[col * self.col_step + row * self.row_step..]
    }
}

/// A matrix that is written: rows of `cols` elements that begin `stride` elements apart.
#[derive(Debug)]
pub struct Target<'a> {
    data: &'a mut [f32],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    stride: usize,
}

impl<'a> Target<'a> {
    /// # Panics
    /// Where `data` is too short: the caller chose the shape.
    #[must_use]
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(rows == 0 || (rows - 1) * stride + cols <= data.len(), "a matrix outside its memory");
        Self { data, rows, cols, stride }
    }

    /// Rows that follow one another.
    ///
    /// # Panics
    /// As [`Target::new`].
    #[must_use]
    pub fn dense(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols)
    }

    pub(crate) fn clear(&mut self) {
        (0..self.rows).for_each(|row| self.data[row * self.stride..][..self.cols].fill(0.0));
    }

    #[inline(always)]
    pub(crate) fn part(&mut self, row: usize, height: usize, col: usize, width: usize) -> Target<'_> {
        let data = &mut self.data[row * self.stride + col..];
        Target { data, rows: height, cols: width, stride: self.stride }
    }

    /// The tile at (`row`, `col`), as far as it lies inside.
    #[inline(always)]
    pub(crate) fn read<const M: usize, const N: usize>(&self, row: usize, col: usize, tile: &mut Tile<M, N>) {
        let (height, width) = (M.min(self.rows - row), N.min(self.cols - col));
        for (i, to) in tile[..height].iter_mut().enumerate() {
            let from = &self.data[(row + i) * self.stride + col..][..width];
            match from.first_chunk::<N>() {
                Some(whole) => *to = *whole,
                None => to[..width].copy_from_slice(from),
            }
        }
    }

    #[inline(always)]
    pub(crate) fn write<const M: usize, const N: usize>(
        &mut self,
        row: usize,
        col: usize,
        tile: &Tile<M, N>,
    ) {
        let (height, width) = (M.min(self.rows - row), N.min(self.cols - col));
        for (i, from) in tile[..height].iter().enumerate() {
            let to = &mut self.data[(row + i) * self.stride + col..][..width];
            match to.first_chunk_mut::<N>() {
                Some(whole) => *whole = *from,
                None => to.copy_from_slice(&from[..width]),
            }
        }
    }
}
