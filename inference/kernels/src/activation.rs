// SPDX-License-Identifier: MIT
//! Activations as a matrix product reads them: `f32`, or quantised to 8 bits as ggml does for the weight type.
//!
//! | weights | activations (ggml) | scale per | rounding |
//! |---|---|---|---|
//! | Q8_0 Q4_0 Q5_0 IQ4_NL Q4_1 Q5_1 | `Q8_0`, `Q8_1` | 32 elements, rounded to a half | max / 127 |
//! | Q2_K … Q6_K IQ4_XS | `Q8_K` | 256 elements, single | signed maximum becomes -127 |
//!
//! ggml also rounds activations to the weight's type for F16 and BF16; here they stay `f32`, which is closer to the
//! model and costs nothing.

use crate::GgmlType;
use crate::half::{f16_to_f32, f32_to_f16};

/// How activations are held for a weight type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivationKind {
    /// As they are.
    F32,
    /// 8 bits, one scale per 32 elements.
    Q8x32,
    /// 8 bits, one scale per 256 elements.
    Q8x256,
}

impl ActivationKind {
    /// What weights of type `kind` are multiplied with.
    #[must_use]
    pub const fn of(kind: GgmlType) -> Self {
        match kind.block_len() {
            1 => Self::F32,
            32 => Self::Q8x32,
            _ => Self::Q8x256,
        }
    }
}

/// Quantised activations of some tokens, `width` elements each.
///
/// Shapes: `q` (token, width); `d` (token, 2, width / 32): scales, then (for [`ActivationKind::Q8x32`]) the sums of 32
/// elements as `Q8_1` keeps them, rounded to halves; `sums` (token, width / 16): sums of 16 neighbours in `q`. With one
/// scale per 256, a token uses only the first `width / 256` of `d`.
#[derive(Debug)]
pub struct Quantized<'a> {
    pub q: &'a mut [i8],
    pub d: &'a mut [f32],
    pub sums: &'a mut [i16],
    pub width: usize,
}

/// A view of activations: all that a matrix product reads.
#[derive(Clone, Copy, Debug)]
pub struct Activation<'a> {
    pub kind: ActivationKind,
    pub width: usize,
    pub tokens: usize,
    /// (token, width), for [`ActivationKind::F32`].
    pub values: &'a [f32],
    pub q: &'a [i8],
    pub d: &'a [f32],
    pub sums: &'a [i16],
}

impl Activation<'_> {
    pub(crate) fn covers(&self) -> bool {
        let n = self.tokens * self.width;
        match self.kind {
            ActivationKind::F32 => self.values.len() >= n,
            _ => {
                let sums = self.width / 16 * self.tokens;
                self.q.len() >= n
                    && self.d.len() >= self.width / 32 * 2 * self.tokens
                    && self.sums.len() >= sums
            }
        }
    }

    #[inline(always)]
    pub(crate) fn token_values(&self, t: usize) -> &[f32] {
        &self.values[t * self.width..][..self.width]
    }

    #[inline(always)]
    pub(crate) fn token_q(&self, t: usize) -> &[i8] {
        &self.q[t * self.width..][..self.width]
    }

    #[inline(always)]
    pub(crate) fn token_d(&self, t: usize) -> &[f32] {
        &self.d[t * 2 * (self.width / 32)..][..self.width / 32]
    }

    /// Sums of 32 elements, times their scale.
    #[inline(always)]
    pub(crate) fn token_s(&self, t: usize) -> &[f32] {
        &self.d[(2 * t + 1) * (self.width / 32)..][..self.width / 32]
    }

    #[inline(always)]
    pub(crate) fn token_sums(&self, t: usize) -> &[i16] {
        &self.sums[t * (self.width / 16)..][..self.width / 16]
    }
}

impl Quantized<'_> {
    /// Quantises `tokens` rows of `values` (token, width). `width` must be a multiple of the kind's block; a rest
    /// would be left out, so shapes are checked when a model is bound.
    #[inline(always)]
    pub(crate) fn fill(kind: ActivationKind, values: &[f32], tokens: usize, out: &mut Quantized<'_>) {
        let width = out.width.max(1);
        let (blocks, sums) = (width / 32, width / 16);
        for t in 0..tokens {
            let (values, q) = (&values[t * width..][..width], &mut out.q[t * width..][..width]);
            let (d, s) = out.d[t * 2 * blocks..][..2 * blocks].split_at_mut(blocks);
            let sums = &mut out.sums[t * sums..][..sums];
            match kind {
                ActivationKind::Q8x256 => quantize_256(values, q, d),
                _ => quantize_32(values, q, d),
            }
            sum_16(q, sums);
            if kind == ActivationKind::Q8x32 {
                finish_32(sums, d, s);
            }
        }
    }
}

/// Rounds to nearest, ties to even, for |x| < 2^22.
#[inline(always)]
fn nearest(x: f32) -> i32 {
    const MAGIC: f32 = 12_582_912.0;
    (x + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32
}

#[inline(always)]
fn largest<const N: usize>(values: &[f32; N]) -> f32 {
    let mut lanes = [0f32; 16];
    for chunk in values.as_chunks::<16>().0 {
        for i in 0..16 {
            let a = chunk[i].abs();
            lanes[i] = if a > lanes[i] { a } else { lanes[i] };
        }
    }
    lanes.into_iter().fold(0.0, |m, a| if a > m { a } else { m })
}

#[inline(always)]
pub(crate) fn quantize_32(values: &[f32], q: &mut [i8], d: &mut [f32]) {
    let blocks = values.as_chunks::<32>().0.iter().zip(q.as_chunks_mut::<32>().0);
    for ((values, q), d) in blocks.zip(d) {
        let most = largest(values);
        let inverse = if most > 0.0 { 127.0 / most } else { 0.0 };
        for i in 0..32 {
            q[i] = nearest(values[i] * inverse) as i8;
        }
        *d = most / 127.0;
    }
}

/// Weighs the sums with the scales, then rounds both to halves: what a `Q8_1` block holds.
#[inline(always)]
fn finish_32(sums: &[i16], d: &mut [f32], s: &mut [f32]) {
    for ((d, s), sums) in d.iter_mut().zip(s).zip(sums.as_chunks::<2>().0) {
        let sum = i32::from(sums[0]) + i32::from(sums[1]);
        *s = f16_to_f32(f32_to_f16(*d * sum as f32));
        *d = f16_to_f32(f32_to_f16(*d));
    }
}

#[inline(always)]
fn quantize_256(values: &[f32], q: &mut [i8], d: &mut [f32]) {
    let blocks = values.as_chunks::<256>().0.iter().zip(q.as_chunks_mut::<256>().0);
    for ((values, q), d) in blocks.zip(d) {
        let most = largest(values);
        let first = values.iter().find(|v| v.abs() == most).copied().unwrap_or(0.0);
        let inverse = if most > 0.0 { -127.0 / first } else { 0.0 };
        for i in 0..256 {
            q[i] = nearest(values[i] * inverse).min(127) as i8;
        }
        *d = if most > 0.0 { 1.0 / inverse } else { 0.0 };
    }
}

#[inline(always)]
fn sum_16(q: &[i8], sums: &mut [i16]) {
    for (q, sum) in q.as_chunks::<16>().0.iter().zip(sums) {
        *sum = q.iter().map(|q| i16::from(*q)).sum();
    }
}
