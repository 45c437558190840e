// SPDX-License-Identifier: MIT
//! Instruction sets. The only module of the inference engine with `unsafe`: calls of functions compiled for a feature
//! whose presence [`Kernels::select`](crate::Kernels::select) was told of, and vector loads and stores within slices.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
mod x86_64_rows;

mod detect;
pub(crate) mod dispatch;
pub(crate) mod isa;

pub(crate) use detect::detect;
pub use isa::Kernels;

use crate::activation::Activation;
use crate::arch::isa::Isa;
use crate::attention::CacheKind;
use crate::attention_block::{Rows, RowsMut};
use crate::gemm::{Generic, Operand, Target, blocked};
use crate::matmul::{Matrix, Output};

/// The product by the best kernels there are for `isa` and the matrix' type.
pub(crate) fn matmul(isa: Isa, matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let done = match isa {
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => aarch64::matmul::<aarch64::Plain>(matrix, x, out),
        #[cfg(target_arch = "aarch64")]
        Isa::NeonDotprod => aarch64::matmul::<aarch64::Dotprod>(matrix, x, out),
        #[cfg(target_arch = "aarch64")]
        Isa::NeonI8mm => aarch64::matmul::<aarch64::I8mm>(matrix, x, out),
        // SAFETY: `Kernels::select` made this `Isa` from a feature word that contains AVX-512 VNNI.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86_64::avx512::matmul(matrix, x, out) },
        // SAFETY: `Kernels::select` made this `Isa` from a feature word that contains AVX2.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { x86_64::avx2::matmul(matrix, x, out) },
        Isa::Generic => false,
    };
    if !done {
        crate::matmul::matmul_generic(isa, matrix, x, out);
    }
}

/// Scores of several queries with many keys.
pub(crate) fn scores_block(
    isa: Isa,
    kind: CacheKind,
    queries: Rows<'_>,
    keys: &[u8],
    scale: f32,
    out: &mut RowsMut<'_>,
) {
    let done = match isa {
        // SAFETY: `Kernels::select` made this `Isa` from a feature word that contains AVX-512 VNNI.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86_64::avx512::scores_block(kind, queries, keys, scale, out) },
        _ => false,
    };
    if !done {
        dispatch::scores_block(isa, kind, queries, keys, scale, out);
    }
}

/// Int8 products of a query with many rows.
pub(crate) fn row_dots_i8(isa: Isa, query: &[i8], rows: &[i8], out: &mut [i32]) {
    match isa {
        // SAFETY: `Kernels::select` made this `Isa` from a feature word that contains AVX-512 VNNI.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86_64_rows::row_dots(query, rows, out) },
        _ => dispatch::row_dots(isa, query, rows, out),
    }
}

/// `f32` products by tiles that fit the registers of `isa`.
pub(crate) fn gemm(
    isa: Isa,
    a: Operand<'_>,
    b: Operand<'_>,
    accumulate: bool,
    out: &mut Target<'_>,
    scratch: &mut [f32],
) {
    match isa {
        #[cfg(target_arch = "aarch64")]
        Isa::Neon | Isa::NeonDotprod | Isa::NeonI8mm => {
            blocked::<aarch64::gemm::Neon, 8, 8, 8>(a, b, accumulate, out, scratch);
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => blocked::<x86_64::gemm::Avx512, 14, 16, 32>(a, b, accumulate, out, scratch),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => blocked::<x86_64::gemm::Avx2, 6, 6, 16>(a, b, accumulate, out, scratch),
        Isa::Generic => blocked::<Generic, 4, 4, 8>(a, b, accumulate, out, scratch),
    }
}

/// Products of operands rounded to BF16, for a machine that has them.
pub(crate) fn gemm_bf16(
    a: Operand<'_>,
    b: Operand<'_>,
    accumulate: bool,
    out: &mut Target<'_>,
    scratch: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    blocked::<x86_64::gemm_bf16::Bf16, 14, 16, 32>(a, b, accumulate, out, scratch);
    #[cfg(not(target_arch = "x86_64"))]
    blocked::<Generic, 4, 4, 8>(a, b, accumulate, out, scratch);
}
