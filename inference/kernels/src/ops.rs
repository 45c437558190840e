// SPDX-License-Identifier: MIT
//! Norms, softmax, gates and soft caps over one row. Scalar definitions; `Kernels` runs them in vector registers.

use crate::lanes;

/// Root-mean-square norm: `out = x / sqrt(mean(x^2) + eps) * weight`.
#[inline(always)]
pub fn rms_norm(x: &[f32], weight: &[[u8; 4]], eps: f32, out: &mut [f32]) {
    let mean = lanes::sum_squares(x, 0.0) / x.len() as f32;
    let scale = 1.0 / libm::sqrtf(mean + eps);
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * f32::from_le_bytes(*w);
    }
}

/// Layer norm: `out = (x - mean) / sqrt(variance + eps) * weight + bias`; an empty bias is none.
#[inline(always)]
pub fn layer_norm(x: &[f32], weight: &[[u8; 4]], bias: &[[u8; 4]], eps: f32, out: &mut [f32]) {
    let mean = lanes::sum(x) / x.len() as f32;
    let variance = lanes::sum_squares(x, mean) / x.len() as f32;
    let scale = 1.0 / libm::sqrtf(variance + eps);
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = (x - mean) * scale * f32::from_le_bytes(*w);
    }
    add_bytes(out, bias);
}

/// `x += y`, where `y` stands in a file.
#[inline(always)]
pub fn add_bytes(x: &mut [f32], y: &[[u8; 4]]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += f32::from_le_bytes(*y);
    }
}

/// Turns scores into probabilities. All scores negative infinity, or none at all, leave zeros.
#[inline(always)]
pub fn softmax(x: &mut [f32]) {
    let most = lanes::max(x);
    if most == f32::NEG_INFINITY {
        return x.fill(0.0);
    }
    for x in x.iter_mut() {
        *x = lanes::exp(*x - most);
    }
    let scale = 1.0 / lanes::sum(x);
    for x in x.iter_mut() {
        *x *= scale;
    }
}

/// `out = cap * tanh(x / cap)`.
#[inline(always)]
pub fn soft_cap(x: &mut [f32], cap: f32) {
    for x in x {
        *x = cap * lanes::tanh(*x / cap);
    }
}

/// `gate = silu(gate) * up`.
#[inline(always)]
pub fn silu_gate(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + lanes::exp(-*gate)) * up;
    }
}

/// `gate = gelu(gate) * up`, tanh approximation.
#[inline(always)]
pub fn gelu_gate(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = gelu_one(*gate) * up;
    }
}

/// `x = gelu(x)`, tanh approximation: what ggml computes (there through a table of halves).
#[inline(always)]
pub fn gelu(x: &mut [f32]) {
    for x in x {
        *x = gelu_one(*x);
    }
}

#[inline(always)]
fn gelu_one(x: f32) -> f32 {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    0.5 * x * (1.0 + lanes::tanh(SQRT_2_OVER_PI * x * (1.0 + 0.044_715 * x * x)))
}

/// `x = gelu(x)` by the error function, as BERT was trained.
pub fn gelu_erf(x: &mut [f32]) {
    for x in x {
        *x = 0.5 * *x * (1.0 + libm::erff(*x * core::f32::consts::FRAC_1_SQRT_2));
    }
}

/// Scales a vector to length 1; a zero vector stays.
pub fn l2_normalize(x: &mut [f32]) {
    let length = libm::sqrtf(lanes::sum_squares(x, 0.0));
    if length > 0.0 {
        x.iter_mut().for_each(|x| *x /= length);
    }
}
