// SPDX-License-Identifier: MIT
//! Attention of several tokens, for one head: they share the conversion of rows of the cache, and nothing else. The
//! results are those of [`crate::attention`], bit by bit.

use crate::arch::{self, dispatch};
use crate::attention::{CacheKind, half, mix, scores};
use crate::blocks::BlockQ8_0;
use crate::dequantize::blocks_of;
use crate::{Kernels, lanes};

/// `count` rows of `width` elements whose starts are `stride` apart.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub width: usize,
    pub stride: usize,
    pub count: usize,
}

/// [`Rows`] that are written, as many as there are to read.
#[derive(Debug)]
pub struct RowsMut<'a> {
    pub values: &'a mut [f32],
    pub width: usize,
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// Row `i`.
    ///
    /// # Panics
    /// Where there is none.
    #[inline(always)]
    #[must_use]
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.stride..][..self.width]
    }
}

impl RowsMut<'_> {
    /// Row `i`.
    ///
    /// # Panics
    /// Where there is none.
    #[inline(always)]
    pub fn row(&mut self, i: usize) -> &mut [f32] {
        &mut self.values[i * self.stride..][..self.width]
    }
}

impl Kernels {
    /// [`Kernels::scores`] for every row of `queries`, into the rows of `scores`.
    pub fn scores_block(
        self,
        kind: CacheKind,
        queries: Rows<'_>,
        keys: &[u8],
        scale: f32,
        scores: &mut RowsMut<'_>,
    ) {
        arch::scores_block(self.0, kind, queries, keys, scale, scores);
    }

    /// [`Kernels::mix`] for every row of `weights`, into the rows of `out`.
    pub fn mix_block(self, kind: CacheKind, weights: Rows<'_>, values: &[u8], out: &mut RowsMut<'_>) {
        dispatch::mix_block(self.0, kind, weights, values, out);
    }
}

/// Cache rows that are converted together, and the longest row that is.
pub(crate) const TILE: usize = 16;
pub(crate) const WIDEST: usize = 256;

/// Rows of the cache as `f32`: (row, element); what lies behind a row's last element stays 0.
pub(crate) type Tile<const W: usize> = [[f32; W]; TILE];

/// Converts the rows of `cache`, of `bytes` bytes each, at most [`TILE`] of them. What a Q8_0 row becomes is `d * q`, as
/// where there is one token.
#[inline(always)]
fn convert<const W: usize>(kind: CacheKind, cache: &[u8], bytes: usize, tile: &mut Tile<W>) {
    for (row, tile) in cache.chunks_exact(bytes).zip(tile.iter_mut()) {
        match kind {
            CacheKind::F32 => fill(tile, row.as_chunks().0, f32::from_le_bytes),
            CacheKind::F16 => fill(tile, row.as_chunks().0, half),
            CacheKind::Q8_0 => {
                for (block, tile) in blocks_of::<BlockQ8_0>(row).iter().zip(tile.as_chunks_mut::<32>().0) {
                    let d = block.d.get();
                    for (value, q) in tile.iter_mut().zip(block.qs) {
                        *value = d * f32::from(q);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn fill<const N: usize>(tile: &mut [f32], row: &[[u8; N]], convert: impl Fn([u8; N]) -> f32) {
    for (tile, value) in tile.iter_mut().zip(row) {
        *tile = convert(*value);
    }
}

#[inline(always)]
pub(crate) fn scores_block(
    kind: CacheKind,
    queries: Rows<'_>,
    keys: &[u8],
    scale: f32,
    out: &mut RowsMut<'_>,
) {
    match queries.width {
        _ if queries.count == 1 => scores(kind, queries.row(0), keys, scale, out.row(0)),
        0..=64 => scores_tiles::<64>(kind, queries, keys, scale, out, dots),
        65..=WIDEST => scores_tiles::<WIDEST>(kind, queries, keys, scale, out, dots),
        _ => {
            for t in 0..queries.count {
                scores(kind, queries.row(t), keys, scale, out.row(t));
            }
        }
    }
}

/// Scores by tiles; `dots` multiplies a query with every row of one. Rows have at most `W` elements.
#[inline(always)]
pub(crate) fn scores_tiles<const W: usize>(
    kind: CacheKind,
    queries: Rows<'_>,
    keys: &[u8],
    scale: f32,
    out: &mut RowsMut<'_>,
    dots: impl Fn(&[f32; W], &Tile<W>) -> [f32; TILE],
) {
    let Some(bytes) = kind.row_bytes(queries.width).filter(|b| *b > 0) else { return };
    let (mut tile, mut query) = ([[0.0; W]; TILE], [0.0; W]);
    for (i, keys) in keys.chunks(bytes * TILE).enumerate() {
        convert(kind, keys, bytes, &mut tile);
        for t in 0..queries.count {
            query[..queries.width].copy_from_slice(queries.row(t));
            let dots = dots(&query, &tile);
            let out = &mut out.row(t)[i * TILE..][..keys.len() / bytes];
            for (out, dot) in out.iter_mut().zip(dots) {
                *out = scale * dot;
            }
        }
    }
}

#[inline(always)]
fn dots<const W: usize>(query: &[f32; W], tile: &Tile<W>) -> [f32; TILE] {
    let mut out = [0.0; TILE];
    for (out, row) in out.iter_mut().zip(tile) {
        *out = lanes::dot(query, row);
    }
    out
}

#[inline(always)]
pub(crate) fn mix_block(kind: CacheKind, weights: Rows<'_>, values: &[u8], out: &mut RowsMut<'_>) {
    match out.width {
        _ if weights.count == 1 => mix(kind, weights.row(0), values, out.row(0)),
        0..=64 => mix_tiles::<64>(kind, weights, values, out),
        65..=WIDEST => mix_tiles::<WIDEST>(kind, weights, values, out),
        _ => {
            for t in 0..weights.count {
                mix(kind, weights.row(t), values, out.row(t));
            }
        }
    }
}

#[inline(always)]
fn mix_tiles<const W: usize>(kind: CacheKind, weights: Rows<'_>, values: &[u8], out: &mut RowsMut<'_>) {
    let Some(bytes) = kind.row_bytes(out.width).filter(|b| *b > 0) else { return };
    let mut tile = [[0.0; W]; TILE];
    for (i, values) in values.chunks(bytes * TILE).enumerate() {
        convert(kind, values, bytes, &mut tile);
        for t in 0..weights.count {
            add_rows(&weights.row(t)[i * TILE..][..values.len() / bytes], &tile, out.row(t));
        }
    }
}

/// `out += sum of weights[i] * tile[i]`, in order, 32 columns at a time.
#[inline(always)]
fn add_rows<const W: usize>(weights: &[f32], tile: &Tile<W>, out: &mut [f32]) {
    let (panels, rest) = out.as_chunks_mut::<32>();
    let at = panels.len() * 32;
    for (p, panel) in panels.iter_mut().enumerate() {
        let mut sums = *panel;
        for (weight, row) in weights.iter().zip(tile) {
            let row: &[f32; 32] = row[p * 32..].first_chunk().unwrap_or(&[0.0; 32]);
            for i in 0..32 {
                sums[i] += weight * row[i];
            }
        }
        *panel = sums;
    }
    for (weight, row) in weights.iter().zip(tile) {
        for (out, value) in rest.iter_mut().zip(&row[at..]) {
            *out += weight * value;
        }
    }
}
