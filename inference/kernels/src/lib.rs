// SPDX-License-Identifier: MIT
//! Arithmetic of the inference engine: quantised blocks, dot products, matrix products, norms, activations, rotation.
//!
//! The one design rule: **every path computes the same bits**. A result is defined once, by safe scalar code, in an
//! order that vector hardware can follow, and each instruction set reproduces it exactly:
//!
//! - Quantised products: for one row and one token, blocks are taken in order; the integer dot product of a block is
//!   exact, and one multiplication and one addition in `f32` (never fused) bring it to the sum. Vector code puts rows,
//!   not elements, side by side, so the order within a row does not change with the width of a register.
//! - Sums over `f32` elements: sixteen partial sums, element `i` in lane `i % 16`, folded in halves
//!   ([`lanes::fold`]). Sixteen is the widest register; narrower ones use several.
//!
//! So results do not depend on the machine, on the number of workers, nor on whether a token came alone or in a
//! batch, and tests compare paths with `==`, without a tolerance.
//!
//! Limits: a matrix has less than 2^31 columns; `unsafe` is confined to `arch`.
#![cfg_attr(not(any(test, feature = "std")), no_std)]
#![deny(unsafe_code)]

mod activation;
#[allow(unsafe_code)]
mod arch;
mod attention;
mod attention_block;
mod blocks;
mod dequantize;
mod features;
mod gemm;
pub mod gradients;
mod half;
pub mod lanes;
mod matmul;
mod matrix;
pub mod ops;
mod rope;
mod row_dots;
mod unpack;
mod unpack_k;

pub use activation::{Activation, ActivationKind, Quantized};
pub use arch::Kernels;
pub use attention::CacheKind;
pub use attention_block::{Rows, RowsMut};
pub use blocks::*;
pub use dequantize::dequantize_row;
pub use features::CpuFeatures;
pub use gemm::{GEMM_SCRATCH, Operand, Target};
pub use half::{bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};
pub use inference_gguf::GgmlType;
pub use matmul::Output;
pub use matrix::Matrix;
pub use rope::{RopeLayout, rotate};
