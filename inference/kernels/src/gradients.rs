// SPDX-License-Identifier: MIT
//! Rows of training: norms and gates with their derivatives, the loss, and the optimiser. Scalar definitions, which
//! [`Kernels`] runs in vector registers.

use crate::arch::dispatch;
use crate::{Kernels, lanes};

/// Root-mean-square norm with weights in memory: `out = x / sqrt(mean(x^2) + eps) * weight`.
#[inline(always)]
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let scale = rms_scale(x, eps);
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * w;
    }
}

#[inline(always)]
fn rms_scale(x: &[f32], eps: f32) -> f32 {
    1.0 / libm::sqrtf(lanes::sum_squares(x, 0.0) / x.len() as f32 + eps)
}

/// Derivative of [`rms_norm`]: adds to `dx`, and to `dweight` unless that is empty. `dy` is overwritten.
#[inline(always)]
pub fn rms_norm_backward(
    x: &[f32],
    weight: &[f32],
    eps: f32,
    dy: &mut [f32],
    dx: &mut [f32],
    dweight: &mut [f32],
) {
    let scale = rms_scale(x, eps);
    for ((dw, dy), x) in dweight.iter_mut().zip(&*dy).zip(x) {
        *dw += dy * x * scale;
    }
    for (dy, w) in dy.iter_mut().zip(weight) {
        *dy *= w;
    }
    let along = lanes::dot(dy, x) * scale * scale * scale / x.len() as f32;
    for ((dx, dy), x) in dx.iter_mut().zip(&*dy).zip(x) {
        *dx += dy * scale - x * along;
    }
}

/// `out = silu(gate) * up`.
#[inline(always)]
pub fn silu_product(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
        *out = gate / (1.0 + lanes::exp(-*gate)) * up;
    }
}

/// Derivative of [`silu_product`] times `dy`: overwrites `gate` with its own and `up` with its own.
#[inline(always)]
pub fn silu_product_backward(dy: &[f32], gate: &mut [f32], up: &mut [f32]) {
    for ((dy, gate), up) in dy.iter().zip(gate).zip(up) {
        let sigmoid = 1.0 / (1.0 + lanes::exp(-*gate));
        let silu = *gate * sigmoid;
        *gate = dy * *up * (sigmoid + silu * (1.0 - sigmoid));
        *up = dy * silu;
    }
}

/// `x = softmax(scale * x)`.
#[inline(always)]
pub fn scaled_softmax(x: &mut [f32], scale: f32) {
    let most = lanes::max(x) * scale;
    for x in x.iter_mut() {
        *x = lanes::exp(*x * scale - most);
    }
    let factor = 1.0 / lanes::sum(x);
    for x in x.iter_mut() {
        *x *= factor;
    }
}

/// Derivative of [`scaled_softmax`], whose result was `p`: overwrites `dp` with the derivative of its argument.
#[inline(always)]
pub fn scaled_softmax_backward(p: &[f32], scale: f32, dp: &mut [f32]) {
    let mean = lanes::dot(p, dp);
    for (dp, p) in dp.iter_mut().zip(p) {
        *dp = p * (*dp - mean) * scale;
    }
}

/// Cross-entropy of `logits` and `target` in nats; overwrites the logits with their derivative times `weight`.
#[inline(always)]
pub fn cross_entropy(logits: &mut [f32], target: usize, weight: f32) -> f32 {
    let most = lanes::max(logits);
    let of_target = logits[target] - most;
    for x in logits.iter_mut() {
        *x = lanes::exp(*x - most);
    }
    let sum = lanes::sum(logits);
    let factor = weight / sum;
    for x in logits.iter_mut() {
        *x *= factor;
    }
    logits[target] -= weight;
    libm::logf(sum) - of_target
}

/// Constants of one step of AdamW (Loshchilov and Hutter, 2019), bias corrections included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate over the first moment's correction.
    pub rate: f32,
    /// Learning rate times weight decay.
    pub decay: f32,
    pub beta1: f32,
    pub beta2: f32,
    /// One over the square root of the second moment's correction.
    pub root: f32,
    pub eps: f32,
    /// Factor on gradients: clipping.
    pub clip: f32,
}

/// One step of AdamW on parameters `p` with gradients `g` and moments `m` and `v`.
#[inline(always)]
pub fn adam_w(step: AdamStep, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
        let g = *g * step.clip;
        *m = step.beta1 * *m + (1.0 - step.beta1) * g;
        *v = step.beta2 * *v + (1.0 - step.beta2) * g * g;
        *p -= step.decay * *p + step.rate * *m / (libm::sqrtf(*v) * step.root + step.eps);
    }
}

impl Kernels {
    /// [`rms_norm`].
    pub fn rms_norm_f32(self, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
        dispatch::rms_norm_f32(self.0, x, weight, eps, out);
    }

    /// [`rms_norm_backward`].
    pub fn rms_norm_backward(
        self,
        x: &[f32],
        weight: &[f32],
        eps: f32,
        dy: &mut [f32],
        dx: &mut [f32],
        dweight: &mut [f32],
    ) {
        dispatch::rms_norm_backward(self.0, x, weight, eps, dy, dx, dweight);
    }

    /// [`silu_product`].
    pub fn silu_product(self, gate: &[f32], up: &[f32], out: &mut [f32]) {
        dispatch::silu_product(self.0, gate, up, out);
    }

    /// [`silu_product_backward`].
    pub fn silu_product_backward(self, dy: &[f32], gate: &mut [f32], up: &mut [f32]) {
        dispatch::silu_product_backward(self.0, dy, gate, up);
    }

    /// [`scaled_softmax`].
    pub fn scaled_softmax(self, x: &mut [f32], scale: f32) {
        dispatch::scaled_softmax(self.0, x, scale);
    }

    /// [`scaled_softmax_backward`].
    pub fn scaled_softmax_backward(self, p: &[f32], scale: f32, dp: &mut [f32]) {
        dispatch::scaled_softmax_backward(self.0, p, scale, dp);
    }

    /// [`cross_entropy`].
    ///
    /// # Panics
    /// Where `target` is not below `logits.len()`.
    pub fn cross_entropy(self, logits: &mut [f32], target: usize, weight: f32) -> f32 {
        dispatch::cross_entropy(self.0, logits, target, weight)
    }

    /// [`adam_w`].
    pub fn adam_w(self, step: AdamStep, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        dispatch::adam_w(self.0, step, p, g, m, v);
    }
}
