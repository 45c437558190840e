// SPDX-License-Identifier: MIT
//! One token and rows of super-blocks.

use core::arch::x86_64::*;
use core::ops::Range;

use super::super::scales::prefetch;
use super::super::tile::{self, Tile};
use super::super::{ROWS, write};
use super::{Ordered, RowK, groups, part, parts, products, read, repeat};
use crate::activation::Activation;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};

/// Super-blocks per row of a tile; longer rows are taken in parts.
const CHUNK_K: usize = 64;
const TILE_K: usize = ROWS * CHUNK_K + 4;
/// Super-blocks per group.
const GROUP_K: usize = 4;

/// Activations of a part of one token: super-blocks, repeated.
#[repr(C, align(64))]
struct TokenK {
    q: [Ordered; CHUNK_K + GROUP_K],
    d: [f32; CHUNK_K + GROUP_K],
    sums: [[i16; 16]; CHUNK_K + GROUP_K],
    pairs: [[i16; 8]; CHUNK_K + GROUP_K],
}

impl TokenK {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    fn empty() -> Self {
        let q = [[_mm512_setzero_si512(); 4]; CHUNK_K + GROUP_K];
        let (sums, pairs) = ([[0; 16]; CHUNK_K + GROUP_K], [[0; 8]; CHUNK_K + GROUP_K]);
        Self { q, d: [0.0; CHUNK_K + GROUP_K], sums, pairs }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    fn fill<B: RowK>(&mut self, x: &Activation<'_>, t: usize, part: Range<usize>) {
        let len = part.len() + GROUP_K;
        repeat(&x.token_d(t)[part.clone()], &mut self.d[..len]);
        repeat(&x.token_sums(t).as_chunks().0[part.clone()], &mut self.sums[..len]);
        for (pairs, sums) in self.pairs[..len].iter_mut().zip(&self.sums) {
            for i in 0..8 {
                pairs[i] = sums[2 * i] + sums[2 * i + 1];
            }
        }
        let q = &x.token_q(t).as_chunks::<256>().0[part];
        for (ordered, q) in self.q[..len].iter_mut().zip(q.iter().cycle()) {
            // SAFETY: our caller promised the features.
            *ordered = unsafe { B::order(q) };
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(in super::super) fn run_256<B: RowK>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let (mut tile, mut mins) = (Tile::<TILE_K>::EMPTY, Tile::<TILE_K>::EMPTY);
    let (mut token, blocks) = (TokenK::empty(), x.width / 256);
    let all = blocks_of::<B>(matrix.bytes());
    for t in 0..x.tokens {
        for part in parts(blocks, CHUNK_K) {
            token.fill::<B>(x, t, part.clone());
            for row in (0..matrix.rows()).step_by(ROWS) {
                let here = ROWS.min(matrix.rows() - row);
                products(all, blocks, row..row + here, part.clone(), |weights, at| {
                    rows_256(weights, &token, part.len(), &mut tile.0[at..], &mut mins.0[at..]);
                });
                let sum = if part.start == 0 { _mm512_setzero_ps() } else { read(out, t, row, here) };
                let subtract = |sum, min| _mm512_sub_ps(sum, min);
                let sum = if B::HAS_MIN {
                    tile::sum::<TILE_K, true>(sum, &tile, &mins, part.len(), subtract)
                } else {
                    tile::sum::<TILE_K, false>(sum, &tile, &mins, part.len(), subtract)
                };
                write(out, t, row, matrix.rows(), sum);
            }
        }
    }
}

/// What the super-blocks of some rows contribute.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn rows_256<B: RowK>(weights: &[B], x: &TokenK, blocks: usize, out: &mut [f32], mins: &mut [f32]) {
    let mut few = [weights[0]; GROUP_K];
    let mut weights = weights;
    if weights.len() < GROUP_K {
        few[..weights.len()].copy_from_slice(weights);
        weights = &few;
    }
    let (out, mins) = (&mut out[..weights.len()], &mut mins[..weights.len()]);
    groups(weights.len(), blocks, GROUP_K, |at, column| {
        group_256(part(weights, at), x, column, &mut out[at..], &mut mins[at..]);
    });
}

/// What four super-blocks contribute: `(d_w * d_x) * dot`, and `(dmin_w * d_x) * dot(min, sums)`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn group_256<B: RowK>(weights: &[B; 4], x: &TokenK, column: usize, out: &mut [f32], mins: &mut [f32]) {
    prefetch(weights);
    let (q, sums, pairs) = (part(&x.q, column), part(&x.sums, column), part(&x.pairs, column));
    // SAFETY: our caller promised the features.
    let products = unsafe { B::four(weights, q, sums, pairs) };
    let dx = floats_4(part(&x.d, column));
    let scaled = |d, dots| _mm_mul_ps(_mm_mul_ps(d, dx), _mm_cvtepi32_ps(dots));
    store_4(out, scaled(products.d, products.dots));
    if B::HAS_MIN {
        store_4(mins, scaled(products.dmin, products.mins));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn floats_4(values: &[f32; 4]) -> __m128 {
    // SAFETY: the reference covers the 16 bytes that are read.
    unsafe { _mm_loadu_ps(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn store_4(out: &mut [f32], v: __m128) {
    let out = &mut out[..4];
    // SAFETY: the slice covers the 16 bytes that are written.
    unsafe { _mm_storeu_ps(out.as_mut_ptr(), v) };
}
