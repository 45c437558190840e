// SPDX-License-Identifier: MIT
//! AVX-512 with VNNI. Sixteen rows are computed side by side: lane `i` of a sum is row `i`, so the order within a row
//! is the scalar definition's.
//!
//! One token (generation): a row's block stays as it is in the file; its integer products are made 64 at a time and
//! sixteen rows are reduced together by a transposition ([`reduce`]). Several tokens (prompts): a panel of sixteen
//! rows is unpacked and transposed once into cache and multiplied with every token, without any reduction.
#![allow(clippy::needless_range_loop, reason = "rows are walked together")]

mod attention;
mod columns;
mod columns_k;
mod gemm;
mod panel;
mod reduce;
mod row_32;
mod row_k;
mod row_k4;
mod scales;
mod single;
mod tile;

use core::arch::x86_64::*;

pub(in crate::arch) use attention::scores_block;

use crate::GgmlType;
use crate::activation::Activation;
use crate::blocks::*;
use crate::matmul::{Matrix, Output};

/// Rows computed side by side.
const ROWS: usize = 16;
/// From this many tokens on, unpacking a panel pays.
const MANY: usize = 4;

/// Multiplies where there is a kernel for the type; `false` where there is none.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(in crate::arch) fn matmul(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) -> bool {
    if x.width == 0 {
        return false;
    }
    let many = x.tokens >= MANY;
    match (matrix.kind(), many) {
        (GgmlType::F32 | GgmlType::F16 | GgmlType::BF16, _) => return false,
        (GgmlType::Q8_0, true) => gemm::run_32::<BlockQ8_0>(matrix, x, out),
        (GgmlType::Q4_0, true) => gemm::run_32::<BlockQ4_0>(matrix, x, out),
        (GgmlType::Q4_1, true) => gemm::run_32::<BlockQ4_1>(matrix, x, out),
        (GgmlType::Q5_0, true) => gemm::run_32::<BlockQ5_0>(matrix, x, out),
        (GgmlType::Q5_1, true) => gemm::run_32::<BlockQ5_1>(matrix, x, out),
        (GgmlType::IQ4NL, true) => gemm::run_32::<BlockIQ4NL>(matrix, x, out),
        (GgmlType::Q2K, true) => gemm::run_256::<BlockQ2K>(matrix, x, out),
        (GgmlType::Q3K, true) => gemm::run_256::<BlockQ3K>(matrix, x, out),
        (GgmlType::Q4K, true) => gemm::run_256::<BlockQ4K>(matrix, x, out),
        (GgmlType::Q5K, true) => gemm::run_256::<BlockQ5K>(matrix, x, out),
        (GgmlType::Q6K, true) => gemm::run_256::<BlockQ6K>(matrix, x, out),
        (GgmlType::IQ4XS, true) => gemm::run_256::<BlockIQ4XS>(matrix, x, out),
        (GgmlType::Q8_0, false) => single::run_32::<BlockQ8_0>(matrix, x, out),
        (GgmlType::Q4_0, false) => single::run_32::<BlockQ4_0>(matrix, x, out),
        (GgmlType::Q4_1, false) => single::run_32::<BlockQ4_1>(matrix, x, out),
        (GgmlType::Q5_0, false) => single::run_32::<BlockQ5_0>(matrix, x, out),
        (GgmlType::Q5_1, false) => single::run_32::<BlockQ5_1>(matrix, x, out),
        (GgmlType::IQ4NL, false) => single::run_32::<BlockIQ4NL>(matrix, x, out),
        (GgmlType::Q2K, false) => single::run_256::<BlockQ2K>(matrix, x, out),
        (GgmlType::Q3K, false) => single::run_256::<BlockQ3K>(matrix, x, out),
        (GgmlType::Q4K, false) => single::run_256::<BlockQ4K>(matrix, x, out),
        (GgmlType::Q5K, false) => single::run_256::<BlockQ5K>(matrix, x, out),
        (GgmlType::Q6K, false) => single::run_256::<BlockQ6K>(matrix, x, out),
        (GgmlType::IQ4XS, false) => single::run_256::<BlockIQ4XS>(matrix, x, out),
    }
    true
}

/// Reads 64 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn load_64(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes that are read.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Reads 32 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn load_32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Reads 16 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn load_16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Writes 64 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn store_64(bytes: &mut [u8; 64], v: __m512i) {
    // SAFETY: the reference covers the 64 bytes that are written.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), v) };
}

/// Sixteen integers as a vector.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn integers(values: &[i32; 16]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes that are read.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// Sixteen short integers as a vector.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn shorts(values: &[i16; 16]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

/// A vector as sixteen floats.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn to_array(v: __m512) -> [f32; 16] {
    let mut out = [0.0; 16];
    // SAFETY: the array covers the 64 bytes that are written.
    unsafe { _mm512_storeu_ps(out.as_mut_ptr(), v) };
    out
}

/// Bytes of signed numbers as bytes.
#[inline(always)]
fn unsigned<const N: usize>(bytes: &[i8; N]) -> &[u8; N] {
    zerocopy::transmute_ref!(bytes)
}

/// Writes the lanes of `sums` that are rows of the matrix to `out` of token `t`, from `row` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn write(out: &mut Output<'_>, t: usize, row: usize, rows: usize, sums: __m512) {
    let here = ROWS.min(rows - row);
    if let Some(out) = out.values[t * out.stride + row..].first_chunk_mut::<ROWS>()
        && here == ROWS
    {
        *out = to_array(sums);
        return;
    }
    out.values[t * out.stride + row..][..here].copy_from_slice(&to_array(sums)[..here]);
}
