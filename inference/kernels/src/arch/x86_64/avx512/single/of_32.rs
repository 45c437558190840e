// SPDX-License-Identifier: MIT
//! One token and rows of blocks of 32 elements.

use core::arch::x86_64::*;
use core::ops::Range;

use super::super::scales::{halves_8, prefetch};
use super::super::tile::{self, Tile};
use super::super::{ROWS, shorts, write};
use super::{Row32, groups, part, parts, products, read, repeat};
use crate::activation::Activation;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};

/// Blocks per row of a tile. Longer rows are taken in parts, which costs the single stream; but what rows that are short
/// never need would have to be cleared for every product.
const CHUNK_32: usize = 128;
const LONG_32: usize = 512;
/// Blocks per group.
const GROUP_32: usize = 8;

/// Activations of a part of one token: `N` blocks, repeated.
#[repr(C, align(64))]
struct Token32<const N: usize> {
    q: [[i8; 32]; N],
    d: [f32; N],
    s: [f32; N],
    sums: [[i16; 2]; N],
}

impl<const N: usize> Token32<N> {
    const EMPTY: Self = Self { q: [[0; 32]; N], d: [0.0; N], s: [0.0; N], sums: [[0; 2]; N] };

    #[inline(always)]
    fn fill(&mut self, x: &Activation<'_>, t: usize, part: Range<usize>, min: bool) {
        let len = part.len() + GROUP_32;
        repeat(&x.token_q(t).as_chunks().0[part.clone()], &mut self.q[..len]);
        repeat(&x.token_d(t)[part.clone()], &mut self.d[..len]);
        repeat(&x.token_sums(t).as_chunks().0[part.clone()], &mut self.sums[..len]);
        if min {
            repeat(&x.token_s(t)[part], &mut self.s[..len]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(in super::super) fn run_32<B: Row32>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    if x.width / 32 <= CHUNK_32 {
        parts_32::<B, { CHUNK_32 + GROUP_32 }, { ROWS * CHUNK_32 + 4 }>(matrix, x, out, CHUNK_32);
    } else {
        parts_32::<B, { LONG_32 + GROUP_32 }, { ROWS * LONG_32 + 4 }>(matrix, x, out, LONG_32);
    }
}

/// [`run_32`] in parts of at most `most` blocks, with room for `N` blocks of a token and `TILE` products.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn parts_32<B: Row32, const N: usize, const TILE: usize>(
    matrix: &Matrix<'_>,
    x: &Activation<'_>,
    out: &mut Output<'_>,
    most: usize,
) {
    let (mut tile, mut mins) = (Tile::<TILE>::EMPTY, Tile::<TILE>::EMPTY);
    let (mut token, blocks) = (Token32::<N>::EMPTY, x.width / 32);
    let all = blocks_of::<B>(matrix.bytes());
    for t in 0..x.tokens {
        for part in parts(blocks, most) {
            token.fill(x, t, part.clone(), B::HAS_MIN);
            for row in (0..matrix.rows()).step_by(ROWS) {
                let here = ROWS.min(matrix.rows() - row);
                products(all, blocks, row..row + here, part.clone(), |weights, at| {
                    rows_32(weights, &token, part.len(), &mut tile.0[at..], &mut mins.0[at..]);
                });
                let sum = if part.start == 0 { _mm512_setzero_ps() } else { read(out, t, row, here) };
                let add = |sum, min| _mm512_add_ps(sum, min);
                let sum = if B::HAS_MIN {
                    tile::sum::<TILE, true>(sum, &tile, &mins, part.len(), add)
                } else {
                    tile::sum::<TILE, false>(sum, &tile, &mins, part.len(), add)
                };
                write(out, t, row, matrix.rows(), sum);
            }
        }
    }
}

/// What the blocks of some rows contribute.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn rows_32<B: Row32, const N: usize>(
    weights: &[B],
    x: &Token32<N>,
    blocks: usize,
    out: &mut [f32],
    mins: &mut [f32],
) {
    let mut few = [weights[0]; GROUP_32];
    let mut weights = weights;
    if weights.len() < GROUP_32 {
        few[..weights.len()].copy_from_slice(weights);
        weights = &few;
    }
    let (out, mins) = (&mut out[..weights.len()], &mut mins[..weights.len()]);
    groups(weights.len(), blocks, GROUP_32, |at, column| {
        let (d, s) = (part(&x.d, column), part(&x.s, column));
        let (out, mins) = (&mut out[at..], &mut mins[at..]);
        group_32(part(weights, at), part(&x.q, column), d, s, part(&x.sums, column), out, mins);
    });
}

/// What eight blocks contribute: `(d_w * d_x) * dot`, and `m_w * s_x`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn group_32<B: Row32>(
    weights: &[B; 8],
    q: &[[i8; 32]; 8],
    d: &[f32; 8],
    s: &[f32; 8],
    sums: &[[i16; 2]; 8],
    out: &mut [f32],
    mins: &mut [f32],
) {
    prefetch(weights);
    // SAFETY: our caller promised the features.
    let mut dots = unsafe { B::dots(weights, zerocopy::transmute_ref!(q)) };
    if B::OFFSET > 0 {
        let sums: &[i16; 16] = zerocopy::transmute_ref!(sums);
        let offsets = _mm256_madd_epi16(shorts(sums), _mm256_set1_epi16(-(B::OFFSET as i16)));
        dots = _mm256_add_epi32(dots, offsets);
    }
    let scale = _mm256_mul_ps(halves_8(|i| weights[i].scale()), floats_8(d));
    store_8(out, _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dots)));
    if B::HAS_MIN {
        store_8(mins, _mm256_mul_ps(halves_8(|i| weights[i].minimum()), floats_8(s)));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn floats_8(values: &[f32; 8]) -> __m256 {
    // SAFETY: the reference covers the 32 bytes that are read.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn store_8(out: &mut [f32], v: __m256) {
    let out = &mut out[..8];
    // SAFETY: the slice covers the 32 bytes that are written.
    unsafe { _mm256_storeu_ps(out.as_mut_ptr(), v) };
}
