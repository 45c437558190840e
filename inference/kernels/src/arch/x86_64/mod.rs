// SPDX-License-Identifier: MIT
//! x86-64.

pub(super) mod avx2;
pub(super) mod avx512;
pub(super) mod gemm;
pub(super) mod gemm_bf16;
pub(super) mod gemm_pack;
pub(super) mod processor;
mod scales;
