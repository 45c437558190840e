// SPDX-License-Identifier: MIT
//! The choice of instruction set, made once, and the operations that it runs.

use crate::activation::{ActivationKind, Quantized};
use crate::arch::dispatch;
#[allow(unused_imports, reason = "named in documentation")]
use crate::{CpuFeatures, RopeLayout, lanes, ops, rope};

/// An instruction set for which there are kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isa {
    /// What the target always has, without hand-written kernels.
    Generic,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    NeonDotprod,
    #[cfg(target_arch = "aarch64")]
    NeonI8mm,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The kernels of one instruction set, and whether it multiplies BF16. Every set computes the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernels(pub(crate) Isa, pub(crate) bool);

impl Kernels {
    /// The fastest kernels that `features` allow on this target.
    #[must_use]
    pub fn select(features: CpuFeatures) -> Self {
        #[cfg(target_arch = "aarch64")]
        return match () {
            () if features.contains(CpuFeatures::I8MM | CpuFeatures::DOTPROD) => Self(Isa::NeonI8mm, false),
            () if features.contains(CpuFeatures::DOTPROD) => Self(Isa::NeonDotprod, false),
            () => Self(Isa::Neon, false),
        };
        #[cfg(target_arch = "x86_64")]
        return match () {
            () if features.contains(CpuFeatures::AVX512_VNNI | CpuFeatures::AVX2) => {
                Self(Isa::Avx512, features.contains(CpuFeatures::AVX512_BF16))
            }
            () if features.contains(CpuFeatures::AVX2) => Self(Isa::Avx2, false),
            () => Self(Isa::Generic, false),
        };
        #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
        return Self::generic_for(features);
    }

    /// The scalar definition: the oracle of every other path.
    #[must_use]
    pub fn generic() -> Self {
        Self(Isa::Generic, false)
    }

    #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
    fn generic_for(_: CpuFeatures) -> Self {
        Self::generic()
    }

    /// Name for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Isa::Generic => "generic",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDotprod => "neon+dotprod",
            #[cfg(target_arch = "aarch64")]
            Isa::NeonI8mm => "neon+i8mm",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512-vnni",
        }
    }

    /// [`lanes::dot`].
    #[must_use]
    pub fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        dispatch::dot(self.0, a, b)
    }

    /// [`ops::rms_norm`].
    pub fn rms_norm(self, x: &[f32], weight: &[[u8; 4]], eps: f32, out: &mut [f32]) {
        dispatch::rms_norm(self.0, x, weight, eps, out);
    }

    /// [`ops::layer_norm`].
    pub fn layer_norm(self, x: &[f32], weight: &[[u8; 4]], bias: &[[u8; 4]], eps: f32, out: &mut [f32]) {
        dispatch::layer_norm(self.0, x, weight, bias, eps, out);
    }

    /// [`ops::softmax`].
    pub fn softmax(self, x: &mut [f32]) {
        dispatch::softmax(self.0, x);
    }

    /// [`ops::soft_cap`].
    pub fn soft_cap(self, x: &mut [f32], cap: f32) {
        dispatch::soft_cap(self.0, x, cap);
    }

    /// [`ops::silu_gate`].
    pub fn silu_gate(self, gate: &mut [f32], up: &[f32]) {
        dispatch::silu_gate(self.0, gate, up);
    }

    /// [`ops::gelu_gate`].
    pub fn gelu_gate(self, gate: &mut [f32], up: &[f32]) {
        dispatch::gelu_gate(self.0, gate, up);
    }

    /// [`ops::gelu`].
    pub fn gelu(self, x: &mut [f32]) {
        dispatch::gelu(self.0, x);
    }

    /// [`rope::rotate`].
    pub fn rotate(self, head: &mut [f32], table: &[[f32; 2]], layout: RopeLayout) {
        dispatch::rotate(self.0, head, table, layout);
    }

    /// Quantises `tokens` rows of `values` (token, width) into `out`.
    pub fn quantize(self, kind: ActivationKind, values: &[f32], tokens: usize, out: &mut Quantized<'_>) {
        dispatch::quantize(self.0, kind, values, tokens, out);
    }

    /// `y += scale * x`.
    pub fn add_scaled(self, y: &mut [f32], x: &[f32], scale: f32) {
        dispatch::add_scaled(self.0, y, x, scale);
    }
}
