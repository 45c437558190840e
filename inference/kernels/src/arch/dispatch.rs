// SPDX-License-Identifier: MIT
//! The scalar definitions, compiled once per instruction set: the same source, wider registers, the same bits.

use crate::activation::{Activation, ActivationKind, Quantized};
use crate::arch::isa::Isa;
use crate::attention::{self, CacheKind};
use crate::attention_block::{self, Rows, RowsMut};
use crate::blocks::*;
use crate::gradients::{self, AdamStep};
use crate::matmul::{self, Bf16, F16, F32, Matrix, Output};
use crate::{RopeLayout, lanes, ops, rope, row_dots};

/// Makes functions that run `$definition` compiled for the instruction set. Definitions are `#[inline(always)]`, so
/// that they become part of the function with the features.
macro_rules! dispatch {
    ($(fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $result:ty)? = $definition:expr;)*) => {$(
        #[inline]
        pub(crate) fn $name(isa: Isa, $($arg: $kind),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            fn avx512($($arg: $kind),*) $(-> $result)? {
                $definition($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c")]
            fn avx2($($arg: $kind),*) $(-> $result)? {
                $definition($($arg),*)
            }
            match isa {
                Isa::Generic => $definition($($arg),*),
                // NEON is part of every aarch64 target with floating point: nothing to switch on.
                #[cfg(target_arch = "aarch64")]
                Isa::Neon | Isa::NeonDotprod | Isa::NeonI8mm => $definition($($arg),*),
                // SAFETY: `Kernels::select` made this `Isa` from a feature word that contains AVX2.
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: `Kernels::select` made this `Isa` from a feature word that contains AVX-512 VNNI.
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    )*};
}

dispatch! {
    fn dot(a: &[f32], b: &[f32]) -> f32 = lanes::dot;
    fn add_scaled(y: &mut [f32], x: &[f32], scale: f32) = lanes::add_scaled;
    fn rms_norm(x: &[f32], weight: &[[u8; 4]], eps: f32, out: &mut [f32]) = ops::rms_norm;
    fn layer_norm(x: &[f32], weight: &[[u8; 4]], bias: &[[u8; 4]], eps: f32, out: &mut [f32]) = ops::layer_norm;
    fn softmax(x: &mut [f32]) = ops::softmax;
    fn soft_cap(x: &mut [f32], cap: f32) = ops::soft_cap;
    fn silu_gate(gate: &mut [f32], up: &[f32]) = ops::silu_gate;
    fn gelu_gate(gate: &mut [f32], up: &[f32]) = ops::gelu_gate;
    fn gelu(x: &mut [f32]) = ops::gelu;
    fn rotate(head: &mut [f32], table: &[[f32; 2]], layout: RopeLayout) = rope::rotate;
    fn quantize(kind: ActivationKind, values: &[f32], tokens: usize, out: &mut Quantized<'_>) = Quantized::fill;
    fn store(kind: CacheKind, values: &[f32], row: &mut [u8]) = attention::store;
    fn scores(kind: CacheKind, query: &[f32], keys: &[u8], scale: f32, out: &mut [f32]) = attention::scores;
    fn scores_block(
        kind: CacheKind,
        queries: Rows<'_>,
        keys: &[u8],
        scale: f32,
        out: &mut RowsMut<'_>,
    ) = attention_block::scores_block;
    fn mix_block(kind: CacheKind, weights: Rows<'_>, values: &[u8], out: &mut RowsMut<'_>) = attention_block::mix_block;
    fn mix(kind: CacheKind, weights: &[f32], values: &[u8], out: &mut [f32]) = attention::mix;
    fn rms_norm_f32(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = gradients::rms_norm;
    fn rms_norm_backward(
        x: &[f32],
        weight: &[f32],
        eps: f32,
        dy: &mut [f32],
        dx: &mut [f32],
        dweight: &mut [f32],
    ) = gradients::rms_norm_backward;
    fn silu_product(gate: &[f32], up: &[f32], out: &mut [f32]) = gradients::silu_product;
    fn silu_product_backward(dy: &[f32], gate: &mut [f32], up: &mut [f32]) = gradients::silu_product_backward;
    fn scaled_softmax(x: &mut [f32], scale: f32) = gradients::scaled_softmax;
    fn scaled_softmax_backward(p: &[f32], scale: f32, dp: &mut [f32]) = gradients::scaled_softmax_backward;
    fn cross_entropy(logits: &mut [f32], target: usize, weight: f32) -> f32 = gradients::cross_entropy;
    fn adam_w(step: AdamStep, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) = gradients::adam_w;
    fn row_dots(query: &[i8], rows: &[i8], out: &mut [i32]) = row_dots::row_dots;
    fn f32s(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::floats::<F32, 4>;
    fn f16s(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::floats::<F16, 2>;
    fn bf16s(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::floats::<Bf16, 2>;
    fn q8_0(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_32::<BlockQ8_0>;
    fn q4_0(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_32::<BlockQ4_0>;
    fn q4_1(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_32::<BlockQ4_1>;
    fn q5_0(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_32::<BlockQ5_0>;
    fn q5_1(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_32::<BlockQ5_1>;
    fn iq4_nl(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_32::<BlockIQ4NL>;
    fn q2_k(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_256::<BlockQ2K>;
    fn q3_k(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_256::<BlockQ3K>;
    fn q4_k(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_256::<BlockQ4K>;
    fn q5_k(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_256::<BlockQ5K>;
    fn q6_k(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_256::<BlockQ6K>;
    fn iq4_xs(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) = matmul::each_256::<BlockIQ4XS>;
}
