// SPDX-License-Identifier: MIT
//! The two products of attention, for one head, over rows of the key-value cache.
//!
//! Scores are dot products by [`lanes`]; the weighted sum adds positions in order. Either is independent of how many
//! tokens are processed together.
//!
//! Loops here are `for` loops on purpose: the functions of iterators that take closures are not always made part of the
//! caller, and what is not runs without its vector registers.

use crate::activation::quantize_32;
use crate::arch::dispatch;
use crate::blocks::{BlockQ8_0, Half};
use crate::dequantize::blocks_of;
use crate::half::{f16_to_f32, f32_to_f16};
use crate::{Kernels, lanes};

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKind {
    F32,
    F16,
    /// Blocks of 32: heads must have a multiple of 32 elements.
    Q8_0,
}

impl CacheKind {
    /// Bytes of a row of `width` elements; `None` where blocks do not divide it.
    #[must_use]
    pub const fn row_bytes(self, width: usize) -> Option<usize> {
        match self {
            Self::F32 => Some(width * 4),
            Self::F16 => Some(width * 2),
            Self::Q8_0 if width.is_multiple_of(32) => Some(width / 32 * size_of::<BlockQ8_0>()),
            Self::Q8_0 => None,
        }
    }
}

/// [`Kernels::store`].
#[inline(always)]
pub(crate) fn store(kind: CacheKind, values: &[f32], row: &mut [u8]) {
    match kind {
        CacheKind::F32 => {
            row.as_chunks_mut().0.iter_mut().zip(values).for_each(|(r, v)| *r = v.to_le_bytes())
        }
        CacheKind::F16 => {
            row.as_chunks_mut().0.iter_mut().zip(values).for_each(|(r, v)| *r = f32_to_f16(*v).to_le_bytes());
        }
        CacheKind::Q8_0 => store_q8(values, row),
    }
}

#[inline(always)]
fn store_q8(values: &[f32], row: &mut [u8]) {
    let blocks = row.as_chunks_mut::<{ size_of::<BlockQ8_0>() }>().0;
    for (values, bytes) in values.as_chunks::<32>().0.iter().zip(blocks) {
        let (mut q, mut d) = ([0i8; 32], [0f32]);
        quantize_32(values, &mut q, &mut d);
        bytes[..2].copy_from_slice(&Half::new(d[0]).0);
        bytes[2..].iter_mut().zip(q).for_each(|(b, q)| *b = q as u8);
    }
}

impl Kernels {
    /// Writes a row of keys or values into the cache.
    pub fn store(self, kind: CacheKind, values: &[f32], row: &mut [u8]) {
        dispatch::store(self.0, kind, values, row);
    }

    /// `scores[i] = dot(query, keys[i]) * scale`; `keys` holds rows of `query.len()` elements.
    pub fn scores(self, kind: CacheKind, query: &[f32], keys: &[u8], scale: f32, scores: &mut [f32]) {
        dispatch::scores(self.0, kind, query, keys, scale, scores);
    }

    /// `out += sum of weights[i] * values[i]`, in order; `values` holds rows of `out.len()` elements.
    pub fn mix(self, kind: CacheKind, weights: &[f32], values: &[u8], out: &mut [f32]) {
        dispatch::mix(self.0, kind, weights, values, out);
    }
}

#[inline(always)]
pub(crate) fn scores(kind: CacheKind, query: &[f32], keys: &[u8], scale: f32, out: &mut [f32]) {
    let Some(bytes) = kind.row_bytes(query.len()).filter(|b| *b > 0) else { return };
    for (score, key) in out.iter_mut().zip(keys.chunks_exact(bytes)) {
        *score = scale
            * match kind {
                CacheKind::F32 => lanes::dot_bytes(key.as_chunks().0, query, f32::from_le_bytes),
                CacheKind::F16 => lanes::dot_bytes(key.as_chunks().0, query, half),
                CacheKind::Q8_0 => dot_q8(key, query),
            };
    }
}

#[inline(always)]
pub(crate) fn mix(kind: CacheKind, weights: &[f32], values: &[u8], out: &mut [f32]) {
    let Some(bytes) = kind.row_bytes(out.len()).filter(|b| *b > 0) else { return };
    for (weight, row) in weights.iter().zip(values.chunks_exact(bytes)) {
        match kind {
            CacheKind::F32 => add(out, row.as_chunks().0, *weight, f32::from_le_bytes),
            CacheKind::F16 => add(out, row.as_chunks().0, *weight, half),
            CacheKind::Q8_0 => add_q8(out, row, *weight),
        }
    }
}

#[inline(always)]
pub(crate) fn half(bytes: [u8; 2]) -> f32 {
    f16_to_f32(u16::from_le_bytes(bytes))
}

#[inline(always)]
fn add<const N: usize>(out: &mut [f32], row: &[[u8; N]], weight: f32, convert: impl Fn([u8; N]) -> f32) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += weight * convert(*value);
    }
}

#[inline(always)]
fn dot_q8(row: &[u8], x: &[f32]) -> f32 {
    let mut sums = [0f32; lanes::LANES];
    for (block, x) in blocks_of::<BlockQ8_0>(row).iter().zip(x.as_chunks::<32>().0) {
        let d = block.d.get();
        for i in 0..32 {
            sums[i % 16] += d * f32::from(block.qs[i]) * x[i];
        }
    }
    lanes::fold(sums)
}

#[inline(always)]
fn add_q8(out: &mut [f32], row: &[u8], weight: f32) {
    for (block, out) in blocks_of::<BlockQ8_0>(row).iter().zip(out.as_chunks_mut::<32>().0) {
        let d = block.d.get();
        for (out, q) in out.iter_mut().zip(block.qs) {
            *out += weight * (d * f32::from(q));
        }
    }
}
