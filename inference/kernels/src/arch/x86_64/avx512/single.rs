// SPDX-License-Identifier: MIT
//! One token at a time: the loop over panels of sixteen rows and over blocks.

use core::arch::x86_64::*;

use super::panel::{Rows, Scaled};
use super::{ROWS, write};
use crate::activation::Activation;
use crate::matmul::{Matrix, Output};
use crate::unpack::Block32;
use crate::unpack_k::Block256;

/// The integer products of one block of sixteen rows with one token's.
pub(super) trait Row32: Block32 + Scaled {
    /// Lane `i` is `dot(block of row i, q)`; `sum` is the sum of `q`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 32], sum: i32) -> __m512i;
}

/// As [`Row32`], for super-blocks.
pub(super) trait RowK: Block256 + Scaled {
    /// Lane `i` is the dot product of a super-block of row `i` with `q`, and that of its minima with `sums`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 256], sums: &[i16; 16]) -> (__m512i, __m512i);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn run_32<B: Row32>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = Rows::<B>::new(matrix, row);
        for t in 0..x.tokens {
            let (q, d, s) = (x.token_q(t).as_chunks::<32>().0, x.token_d(t), x.token_s(t));
            let sums = x.token_sums(t).as_chunks::<2>().0;
            let mut acc = _mm512_setzero_ps();
            for (b, q) in q.iter().enumerate() {
                rows.prefetch_next(b);
                let sum = i32::from(sums[b][0]) + i32::from(sums[b][1]);
                // SAFETY: our caller promised the features.
                let dots = _mm512_cvtepi32_ps(unsafe { B::dots(&rows, b, q, sum) });
                let (dw, m) = rows.scales(b);
                let scale = _mm512_mul_ps(dw, _mm512_set1_ps(d[b]));
                acc = _mm512_add_ps(acc, _mm512_mul_ps(scale, dots));
                if B::HAS_MIN {
                    acc = _mm512_add_ps(acc, _mm512_mul_ps(m, _mm512_set1_ps(s[b])));
                }
            }
            write(out, t, row, matrix.rows(), acc);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn run_256<B: RowK>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = Rows::<B>::new(matrix, row);
        for t in 0..x.tokens {
            let (q, d) = (x.token_q(t).as_chunks::<256>().0, x.token_d(t));
            let sums = x.token_sums(t).as_chunks::<16>().0;
            let mut acc = _mm512_setzero_ps();
            for (b, q) in q.iter().enumerate() {
                rows.prefetch_next(b);
                // SAFETY: our caller promised the features.
                let (dots, mins) = unsafe { B::dots(&rows, b, q, &sums[b]) };
                let dx = _mm512_set1_ps(d[b]);
                let (dw, dmin) = rows.scales(b);
                let scale = _mm512_mul_ps(dw, dx);
                acc = _mm512_add_ps(acc, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(dots)));
                if B::HAS_MIN {
                    let scale = _mm512_mul_ps(dmin, dx);
                    acc = _mm512_sub_ps(acc, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(mins)));
                }
            }
            write(out, t, row, matrix.rows(), acc);
        }
    }
}
