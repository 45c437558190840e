// SPDX-License-Identifier: MIT
//! AdamW (Loshchilov and Hutter, 2019): weight decay on matrices only.

use alloc::vec::Vec;

use inference_kernels::Kernels;
use inference_kernels::gradients::AdamStep;

use crate::memory::zeros;
use crate::{Layout, TrainError, Workers};

/// Constants of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub beta1: f32,
    pub beta2: f32,
    pub eps: f32,
    /// Weight decay, as a part of the learning rate.
    pub decay: f32,
    /// Gradients longer than this are shortened to it.
    pub clip: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1, clip: 1.0 }
    }
}

/// The optimiser's state: two moments per parameter, and the steps done.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamW {
    pub settings: Settings,
    pub steps: u64,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// Neighbouring parameters of one tensor, updated together.
struct Part<'a> {
    decay: bool,
    p: &'a mut [f32],
    g: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

/// Parameters in a part.
const PART: usize = 1 << 16;

impl AdamW {
    /// The state before the first step, for `len` parameters.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new(settings: Settings, len: usize) -> Result<Self, TrainError> {
        Ok(Self { settings, steps: 0, first: zeros(len)?, second: zeros(len)? })
    }

    /// Moves `parameters` along `gradient`, whose length is `norm`, with learning rate `rate`.
    ///
    /// # Errors
    /// `WrongLength`; nothing is changed then.
    pub fn update(
        &mut self,
        kernels: Kernels,
        layout: &Layout,
        (parameters, gradient): (&mut [f32], &[f32]),
        (rate, norm): (f32, f64),
        workers: &impl Workers,
    ) -> Result<(), TrainError> {
        for found in [parameters.len(), gradient.len(), self.first.len(), self.second.len()] {
            if found != layout.len() {
                let (what, expected) = ("a vector of the optimiser", layout.len());
                return Err(TrainError::WrongLength { what, expected, found });
            }
        }
        let step = self.step(rate, norm);
        self.steps += 1;
        let mut parts = self.parts(layout, parameters, gradient);
        workers.each(&mut parts, |_, part| {
            let decay = if part.decay { step.decay } else { 0.0 };
            kernels.adam_w(AdamStep { decay, ..step }, part.p, part.g, part.m, part.v);
        });
        Ok(())
    }

    fn step(&self, rate: f32, norm: f64) -> AdamStep {
        let Settings { beta1, beta2, eps, decay, clip } = self.settings;
        let correction = |beta: f32| 1.0 - libm::pow(f64::from(beta), (self.steps + 1) as f64);
        AdamStep {
            rate: (f64::from(rate) / correction(beta1)) as f32,
            decay: rate * decay,
            beta1,
            beta2,
            root: (1.0 / libm::sqrt(correction(beta2))) as f32,
            eps,
            clip: if norm > f64::from(clip) { (f64::from(clip) / norm) as f32 } else { 1.0 },
        }
    }

    fn parts<'a>(&'a mut self, layout: &Layout, mut p: &'a mut [f32], mut g: &'a [f32]) -> Vec<Part<'a>> {
        let (mut m, mut v) = (&mut self.first[..], &mut self.second[..]);
        let mut parts = Vec::new();
        for slot in layout.slots() {
            let mut rest = slot.rows * slot.cols;
            while rest > 0 {
                let len = rest.min(PART);
                let part = Part {
                    decay: slot.decay,
                    p: take(&mut p, len),
                    g: g.split_off(..len).unwrap_or(&[]),
                    m: take(&mut m, len),
                    v: take(&mut v, len),
                };
                parts.push(part);
                rest -= len;
            }
        }
        parts
    }
}

/// Splits the first `len` elements off.
fn take<'a>(from: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    from.split_off_mut(..len).unwrap_or_default()
}
