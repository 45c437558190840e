// SPDX-License-Identifier: MIT
//! AVX2. Eight rows are computed side by side: a block of each is unpacked once and multiplied with that block of up
//! to eight tokens. Lanes of the sums are rows, so the order within a row is the scalar definition's.
#![allow(clippy::needless_range_loop, reason = "blocks of several rows are walked together")]

mod unpack;

use core::arch::x86_64::*;

use super::scales::{Scaled, halves_8};
use crate::GgmlType;
use crate::activation::Activation;
use crate::blocks::*;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};
use unpack::{Vector32, Vectors256};

/// Rows computed side by side.
const ROWS: usize = 8;
/// Tokens per pass over the weights.
const TOKENS: usize = 8;

/// Multiplies where there is a kernel for the type; `false` where there is none.
#[target_feature(enable = "avx2,fma,f16c")]
pub(in crate::arch) fn matmul(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) -> bool {
    match matrix.kind() {
        GgmlType::F32 | GgmlType::F16 | GgmlType::BF16 => return false,
        GgmlType::Q8_0 => run_32::<BlockQ8_0>(matrix, x, out),
        GgmlType::Q4_0 => run_32::<BlockQ4_0>(matrix, x, out),
        GgmlType::Q4_1 => run_32::<BlockQ4_1>(matrix, x, out),
        GgmlType::Q5_0 => run_32::<BlockQ5_0>(matrix, x, out),
        GgmlType::Q5_1 => run_32::<BlockQ5_1>(matrix, x, out),
        GgmlType::IQ4NL => run_32::<BlockIQ4NL>(matrix, x, out),
        GgmlType::Q2K => run_256::<BlockQ2K>(matrix, x, out),
        GgmlType::Q3K => run_256::<BlockQ3K>(matrix, x, out),
        GgmlType::Q4K => run_256::<BlockQ4K>(matrix, x, out),
        GgmlType::Q5K => run_256::<BlockQ5K>(matrix, x, out),
        GgmlType::Q6K => run_256::<BlockQ6K>(matrix, x, out),
        GgmlType::IQ4XS => run_256::<BlockIQ4XS>(matrix, x, out),
    }
    true
}

/// `f` of 0 to 7. (`array::from_fn` is not compiled for AVX2, so closures would not become part of it.)
#[inline(always)]
fn eight<T>(f: impl Fn(usize) -> T) -> [T; ROWS] {
    [f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)]
}

/// Rows `row..row + 8`; rows that are missing repeat the last one.
#[inline(always)]
fn rows_of<'m, B>(matrix: &Matrix<'m>, row: usize) -> [&'m [B]; ROWS]
where
    B: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout + zerocopy::Unaligned,
{
    core::array::from_fn(|i| blocks_of(matrix.row((row + i).min(matrix.rows() - 1))))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn run_32<B: Vector32 + Scaled>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let mut w = [_mm256_setzero_si256(); ROWS];
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = rows_of::<B>(matrix, row);
        for first in (0..x.tokens).step_by(TOKENS) {
            let tokens = TOKENS.min(x.tokens - first);
            let mut sums = [_mm256_setzero_ps(); TOKENS];
            for b in 0..x.width / 32 {
                prefetch_next(&rows, b);
                for r in 0..ROWS {
                    // SAFETY: this function has the features.
                    w[r] = unsafe { rows[r][b].vector() };
                }
                let d = halves_8(|r| rows[r][b].scale());
                let m = halves_8(|r| rows[r][b].minimum());
                for t in 0..tokens {
                    let q = load(&x.token_q(first + t).as_chunks().0[b]);
                    let dots = across(eight(|r| dot_32(w[r], q, _mm256_set1_epi16(1))));
                    let scale = _mm256_mul_ps(d, _mm256_set1_ps(x.token_d(first + t)[b]));
                    sums[t] = _mm256_add_ps(sums[t], _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dots)));
                    if B::HAS_MIN {
                        let min = _mm256_mul_ps(m, _mm256_set1_ps(x.token_s(first + t)[b]));
                        sums[t] = _mm256_add_ps(sums[t], min);
                    }
                }
            }
            write(matrix, out, row, first, &sums[..tokens]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn run_256<B: Vectors256 + Scaled>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let mut w = [[_mm256_setzero_si256(); 8]; ROWS];
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = rows_of::<B>(matrix, row);
        for first in (0..x.tokens).step_by(TOKENS) {
            let tokens = TOKENS.min(x.tokens - first);
            let mut sums = [_mm256_setzero_ps(); TOKENS];
            for b in 0..x.width / 256 {
                prefetch_next(&rows, b);
                for r in 0..ROWS {
                    // SAFETY: this function has the features.
                    unsafe { rows[r][b].vectors(&mut w[r]) };
                }
                let sub: [_; ROWS] = eight(|r| rows[r][b].scales());
                let d = halves_8(|r| rows[r][b].scale());
                let dmin = halves_8(|r| rows[r][b].minimum());
                for t in 0..tokens {
                    let q: &[i8; 256] = &x.token_q(first + t).as_chunks().0[b];
                    let dots = across(eight(|r| dot_256(&w[r], q, &sub[r].scale)));
                    let dx = _mm256_set1_ps(x.token_d(first + t)[b]);
                    let part = _mm256_mul_ps(_mm256_mul_ps(d, dx), _mm256_cvtepi32_ps(dots));
                    sums[t] = _mm256_add_ps(sums[t], part);
                    if B::HAS_MIN {
                        let of_token = shorts(&x.token_sums(first + t).as_chunks().0[b]);
                        let mins = across(eight(|r| _mm256_madd_epi16(shorts(&sub[r].min), of_token)));
                        let part = _mm256_mul_ps(_mm256_mul_ps(dmin, dx), _mm256_cvtepi32_ps(mins));
                        sums[t] = _mm256_sub_ps(sums[t], part);
                    }
                }
            }
            write(matrix, out, row, first, &sums[..tokens]);
        }
    }
}

/// Products of 32 bytes, added four by four, pairs of two multiplied with `scale`.
///
/// The first factor of the byte product is unsigned: it takes the magnitude of `w`, and `q` takes its sign. Two products
/// fit into 16 bits because activations are never -128.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn dot_32(w: __m256i, q: __m256i, scale: __m256i) -> __m256i {
    _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(q, w)), scale)
}

/// Products of 256 bytes, each sub-block of 16 multiplied with its scale.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn dot_256(w: &[__m256i; 8], q: &[i8; 256], scale: &[i16; 16]) -> __m256i {
    let mut sum = _mm256_setzero_si256();
    let parts = w.iter().zip(q.as_chunks::<32>().0);
    for ((w, q), scale) in parts.zip(scale.as_chunks::<2>().0) {
        let scales = _mm256_set_m128i(_mm_set1_epi16(scale[1]), _mm_set1_epi16(scale[0]));
        sum = _mm256_add_epi32(sum, dot_32(*w, load(q), scales));
    }
    sum
}

/// Asks for the `b`-th part of the next eight rows, which lie behind these in memory: eight rows at once are no stream
/// to the hardware.
#[inline(always)]
fn prefetch_next<B>(rows: &[&[B]; ROWS], b: usize) {
    let part = ROWS * size_of::<B>();
    let start = rows[0].as_ptr().cast::<i8>().wrapping_add((rows[0].len() + b) * part);
    for line in (0..part).step_by(64) {
        // SAFETY: a hint, for which any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line)) };
    }
}

/// Lane `i` is the sum of the lanes of `v[i]`.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn across(v: [__m256i; ROWS]) -> __m256i {
    let four = |a, b, c, d| _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let (low, high) = (four(v[0], v[1], v[2], v[3]), four(v[4], v[5], v[6], v[7]));
    let (a, b) = (_mm256_permute2x128_si256::<0x20>(low, high), _mm256_permute2x128_si256::<0x31>(low, high));
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn load(bytes: &[i8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn shorts(values: &[i16; 16]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

/// Writes the lanes that are rows of the matrix.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn write(matrix: &Matrix<'_>, out: &mut Output<'_>, row: usize, first: usize, sums: &[__m256]) {
    let here = ROWS.min(matrix.rows() - row);
    for (t, sum) in sums.iter().enumerate() {
        let mut lanes = [0f32; ROWS];
        // SAFETY: the array covers the 32 bytes that are written.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), *sum) };
        out.values[(first + t) * out.stride + row..][..here].copy_from_slice(&lanes[..here]);
    }
}
