// SPDX-License-Identifier: MIT
//! Parameters before the first step.

use alloc::vec::Vec;

use crate::memory::zeros;
use crate::random::Random;
use crate::{Layout, Shape, TrainError};

/// Deviation of embeddings.
const EMBEDDING: f32 = 0.02;

/// Random parameters for [`Layout::full`]: norms are one; matrices have the deviation `1 / sqrt(3 * inputs)`, those that
/// add to the residual stream less, so that its size does not grow with the number of layers.
///
/// # Errors
/// `OutOfMemory`.
pub fn full(layout: &Layout, shape: &Shape, seed: u64) -> Result<Vec<f32>, TrainError> {
    let mut out = zeros(layout.len())?;
    for (index, slot) in layout.slots().iter().enumerate() {
        let values = &mut out[slot.range()];
        let adds = slot.name.ends_with("attn_output.weight") || slot.name.ends_with("ffn_down.weight");
        let deviation = match (slot.cols == shape.dim && slot.rows == shape.vocab, adds) {
            (true, _) => EMBEDDING,
            (false, adds) => {
                let residual = if adds { (2 * shape.layers) as f32 } else { 1.0 };
                1.0 / libm::sqrtf(3.0 * slot.cols as f32 * residual)
            }
        };
        match slot.decay {
            true => Random::new(seed, index as u64).normal(deviation, values),
            false => values.fill(1.0),
        }
    }
    Ok(out)
}

/// Parameters for [`Layout::adapters`]: `a` is random, `b` zero, so that an adapter changes nothing at first.
///
/// # Errors
/// `OutOfMemory`.
pub fn adapters(layout: &Layout, seed: u64) -> Result<Vec<f32>, TrainError> {
    let mut out = zeros(layout.len())?;
    for (index, slot) in layout.slots().iter().enumerate() {
        if slot.name.ends_with(".lora_a") {
            let deviation = 1.0 / libm::sqrtf(3.0 * slot.cols as f32);
            Random::new(seed, index as u64).normal(deviation, &mut out[slot.range()]);
        }
    }
    Ok(out)
}
