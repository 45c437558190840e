// SPDX-License-Identifier: MIT
//! Sines and cosines of the tokens of a batch, computed once and used by every layer.

use alloc::vec::Vec;

use inference_kernels::Kernels;

use crate::graph::Vector;
use crate::{Hyper, Model, ModelError, Windows};

/// Frequencies of the pairs, for layers that see everything and for windowed ones.
#[derive(Clone, Debug)]
pub(crate) struct Rope {
    full: Vec<f32>,
    windowed: Vec<f32>,
    /// Factor on sines and cosines.
    magnitude: f32,
}

/// Base of windowed layers in Gemma 3; its other layers use the file's.
const GEMMA3_WINDOW_BASE: f32 = 10_000.0;

impl Rope {
    /// Frequencies for a cache of `context` tokens.
    pub(crate) fn new(model: &Model<'_>, context: usize) -> Result<Self, ModelError> {
        let hyper = &model.hyper;
        let long = context > hyper.rope_original;
        let divisors = match (model.rope_divisors.is_empty(), long) {
            (false, _) => model.rope_divisors,
            (true, true) => model.rope_long,
            (true, false) => model.rope_short,
        };
        let windowed = match model.family.windows {
            Windows::FiveOfSix => frequencies(hyper.rotated, GEMMA3_WINDOW_BASE, 1.0, &[])?,
            _ => Vec::new(),
        };
        let full = frequencies(hyper.rotated, hyper.rope_base, hyper.rope_factor, divisors)?;
        Ok(Self { full, windowed, magnitude: magnitude(hyper, !model.rope_long.is_empty()) })
    }

    /// Pairs per table.
    pub(crate) fn pairs(&self) -> usize {
        self.full.len()
    }

    /// Fills the tables of `tokens` tokens from position `first`: (table, token, pair, 2).
    pub(crate) fn fill(&self, first: usize, tokens: usize, out: &mut [f32]) {
        let size = 2 * tokens * self.pairs();
        self.fill_one(&self.full, first, &mut out[..size]);
        if !self.windowed.is_empty() {
            self.fill_one(&self.windowed, first, &mut out[size..2 * size]);
        }
    }

    fn fill_one(&self, frequencies: &[f32], first: usize, out: &mut [f32]) {
        for (t, row) in out.chunks_exact_mut(2 * frequencies.len().max(1)).enumerate() {
            for (pair, frequency) in row.as_chunks_mut::<2>().0.iter_mut().zip(frequencies) {
                let angle = (first + t) as f32 * frequency;
                *pair = [libm::cosf(angle) * self.magnitude, libm::sinf(angle) * self.magnitude];
            }
        }
    }

    /// The table of `token` for a layer.
    pub(crate) fn row<'t>(
        &self,
        tables: &'t [f32],
        tokens: usize,
        token: usize,
        windowed: bool,
    ) -> &'t [[f32; 2]] {
        let table = usize::from(windowed && !self.windowed.is_empty());
        let size = 2 * self.pairs();
        tables[(table * tokens + token) * size..][..size].as_chunks().0
    }

    /// Rotates the heads of one token.
    pub(crate) fn rotate(&self, kernels: Kernels, model: &Model<'_>, heads: &mut [f32], table: &[[f32; 2]]) {
        let Some(layout) = model.family.rope else { return };
        for head in heads.chunks_exact_mut(model.hyper.key_len) {
            kernels.rotate(head, table, layout);
        }
    }
}

fn frequencies(rotated: usize, base: f32, factor: f32, divisors: Vector<'_>) -> Result<Vec<f32>, ModelError> {
    let mut out = Vec::new();
    out.try_reserve_exact(rotated / 2).map_err(|_| ModelError::OutOfMemory)?;
    out.extend((0..rotated / 2).map(|i| {
        let power = libm::pow(f64::from(base), -2.0 * i as f64 / rotated as f64);
        let divisor = divisors.get(i).map_or(1.0, |d| f64::from(f32::from_le_bytes(*d)));
        (power / divisor / f64::from(factor)) as f32
    }));
    Ok(out)
}

/// Long-rope scaling: `sqrt(1 + ln(s) / ln(original))` where the context was stretched `s` times.
fn magnitude(hyper: &Hyper, long_rope: bool) -> f32 {
    let stretch = hyper.context as f32 / hyper.rope_original as f32;
    match (hyper.rope_attention > 0.0, long_rope && stretch > 1.0 && hyper.rope_original > 1) {
        (true, _) => hyper.rope_attention,
        (false, true) => libm::sqrtf(1.0 + libm::logf(stretch) / libm::logf(hyper.rope_original as f32)),
        (false, false) => 1.0,
    }
}
