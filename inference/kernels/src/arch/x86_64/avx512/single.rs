// SPDX-License-Identifier: MIT
//! One token at a time: rows are read one after the other, so that memory sees a single stream. What a row's blocks
//! contribute goes to a tile; sixteen rows together are then added up, block by block.

use core::arch::x86_64::*;

use super::scales::{Scaled, halves_4, halves_8, prefetch};
use super::tile::{self, Tile, floats_4};
use super::{ROWS, load_64, reduce, shorts, unsigned, write};
use crate::activation::Activation;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};
use crate::unpack::Block32;
use crate::unpack_k::Block256;

/// Blocks of 32 and of 256 elements per tile.
const CHUNK_32: usize = 128;
const CHUNK_K: usize = 32;

/// The integer products of eight neighbouring blocks of a row with one token's.
pub(super) trait Row32: Block32 + Scaled {
    /// Lane `i` is the product of block `i`, made unsigned by adding `OFFSET`, with `q[32 * i..][..32]`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn dots(blocks: &[Self; 8], q: &[i8; 256]) -> __m256i;
}

/// The elements of 256 activations in the order in which [`RowK::dots`] wants them.
pub(super) type Ordered = [__m512i; 4];

/// The integer products of a super-block with one token's.
pub(super) trait RowK: Block256 + Scaled {
    /// Activations in the order of the elements that `dots` unpacks.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn order(q: &[i8; 256]) -> Ordered {
        let q = unsigned(q).as_chunks::<64>().0;
        [load_64(&q[0]), load_64(&q[1]), load_64(&q[2]), load_64(&q[3])]
    }

    /// The sum of the lanes is the product of the super-block with the activations `x`, whose sums of 16 are `sums`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn dots(&self, x: &Ordered, sums: __m256i) -> __m512i;

    /// The sum of the lanes is the product of the minima with `sums`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn mins(&self, _: __m256i) -> __m256i {
        _mm256_setzero_si256()
    }
}

/// The first `len` of `values`, then the last of them again.
#[inline(always)]
fn padded<T: Copy, const N: usize>(values: &[T]) -> [T; N] {
    core::array::from_fn(|i| values[i.min(values.len() - 1)])
}

/// Where groups of `len` blocks of `blocks` start: the last group reaches back where they do not come out even.
#[inline(always)]
fn starts(blocks: usize, len: usize) -> impl Iterator<Item = usize> {
    (0..blocks).step_by(len).map(move |at| at.min(blocks - len))
}

#[inline(always)]
fn part<T, const N: usize>(values: &[T], at: usize) -> &[T; N] {
    values[at..].first_chunk().expect("groups lie within their row")
}

/// One token's activations of some blocks of 32.
#[derive(Clone, Copy)]
struct Token32<'x> {
    q: &'x [[i8; 32]],
    d: &'x [f32],
    s: &'x [f32],
    sums: &'x [[i16; 2]],
}

impl<'x> Token32<'x> {
    #[inline(always)]
    fn new(x: &'x Activation<'_>, t: usize, from: usize, to: usize) -> Self {
        Self {
            q: &x.token_q(t).as_chunks().0[from..to],
            d: &x.token_d(t)[from..to],
            s: &x.token_s(t)[from..to],
            sums: &x.token_sums(t).as_chunks().0[from..to],
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn run_32<B: Row32>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let (mut tile, mut mins) = (Tile::<CHUNK_32>::EMPTY, Tile::<CHUNK_32>::EMPTY);
    let blocks = x.width / 32;
    for row in (0..matrix.rows()).step_by(ROWS) {
        for t in 0..x.tokens {
            let mut sum = _mm512_setzero_ps();
            for from in (0..blocks).step_by(CHUNK_32) {
                let to = blocks.min(from + CHUNK_32);
                let token = Token32::new(x, t, from, to);
                for r in 0..ROWS.min(matrix.rows() - row) {
                    let weights = &blocks_of::<B>(matrix.row(row + r))[from..to];
                    row_32(weights, token, &mut tile.0[r], &mut mins.0[r]);
                }
                let add = |sum, min| _mm512_add_ps(sum, min);
                sum = if B::HAS_MIN {
                    tile::sum::<CHUNK_32, true>(sum, &tile, &mins, to - from, add)
                } else {
                    tile::sum::<CHUNK_32, false>(sum, &tile, &mins, to - from, add)
                };
            }
            write(out, t, row, matrix.rows(), sum);
        }
    }
}

/// What the blocks of one row contribute.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn row_32<B: Row32>(weights: &[B], x: Token32<'_>, out: &mut [f32; CHUNK_32], mins: &mut [f32; CHUNK_32]) {
    if weights.len() < 8 {
        let (q, d, s) = (padded::<_, 8>(x.q), padded(x.d), padded(x.s));
        return group_32(&padded::<B, 8>(weights), &q, &d, &s, &padded(x.sums), out, mins);
    }
    for at in starts(weights.len(), 8) {
        let (out, mins) = (&mut out[at..], &mut mins[at..]);
        group_32(part(weights, at), part(x.q, at), part(x.d, at), part(x.s, at), part(x.sums, at), out, mins);
    }
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

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn run_256<B: RowK>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let (mut tile, mut mins) = (Tile::<CHUNK_K>::EMPTY, Tile::<CHUNK_K>::EMPTY);
    let mut ordered = [[_mm512_setzero_si512(); 4]; CHUNK_K];
    let blocks = x.width / 256;
    for row in (0..matrix.rows()).step_by(ROWS) {
        for t in 0..x.tokens {
            let mut sum = _mm512_setzero_ps();
            for from in (0..blocks).step_by(CHUNK_K) {
                let to = blocks.min(from + CHUNK_K);
                let q = x.token_q(t).as_chunks::<256>().0;
                for (ordered, q) in ordered.iter_mut().zip(&q[from..to]) {
                    // SAFETY: our caller promised the features.
                    *ordered = unsafe { B::order(q) };
                }
                let (d, sums) = (&x.token_d(t)[from..to], &x.token_sums(t).as_chunks().0[from..to]);
                let token = TokenK { q: &ordered[..to - from], d, sums };
                for r in 0..ROWS.min(matrix.rows() - row) {
                    let weights = &blocks_of::<B>(matrix.row(row + r))[from..to];
                    row_256(weights, token, &mut tile.0[r], &mut mins.0[r]);
                }
                let subtract = |sum, min| _mm512_sub_ps(sum, min);
                sum = if B::HAS_MIN {
                    tile::sum::<CHUNK_K, true>(sum, &tile, &mins, to - from, subtract)
                } else {
                    tile::sum::<CHUNK_K, false>(sum, &tile, &mins, to - from, subtract)
                };
            }
            write(out, t, row, matrix.rows(), sum);
        }
    }
}

/// One token's activations of some super-blocks.
#[derive(Clone, Copy)]
struct TokenK<'x> {
    q: &'x [Ordered],
    d: &'x [f32],
    sums: &'x [[i16; 16]],
}

/// What the super-blocks of one row contribute.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn row_256<B: RowK>(weights: &[B], x: TokenK<'_>, out: &mut [f32; CHUNK_K], mins: &mut [f32; CHUNK_K]) {
    if weights.len() < 4 {
        let (q, d, sums) = (padded::<_, 4>(x.q), padded(x.d), padded(x.sums));
        return group_256(&padded::<B, 4>(weights), &q, &d, &sums, out, mins);
    }
    for at in starts(weights.len(), 4) {
        let (out, mins) = (&mut out[at..], &mut mins[at..]);
        group_256(part(weights, at), part(x.q, at), part(x.d, at), part(x.sums, at), out, mins);
    }
}

/// What four super-blocks contribute: `(d_w * d_x) * dot`, and `(dmin_w * d_x) * dot(min, sums)`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn group_256<B: RowK>(
    weights: &[B; 4],
    q: &[Ordered; 4],
    d: &[f32; 4],
    sums: &[[i16; 16]; 4],
    out: &mut [f32],
    mins: &mut [f32],
) {
    prefetch(weights);
    let sum = |i: usize| shorts(&sums[i]);
    // SAFETY: our caller promised the features.
    let dot = |i: usize| unsafe { weights[i].dots(&q[i], sum(i)) };
    let (dx, dw) = (floats_4(d), halves_4(|i| weights[i].scale()));
    let dots = reduce::across_4([dot(0), dot(1), dot(2), dot(3)]);
    store_4(out, _mm_mul_ps(_mm_mul_ps(dw, dx), _mm_cvtepi32_ps(dots)));
    if B::HAS_MIN {
        // SAFETY: our caller promised the features.
        let min = |i: usize| unsafe { weights[i].mins(sum(i)) };
        let dots = reduce::halves_4([min(0), min(1), min(2), min(3)]);
        store_4(mins, _mm_mul_ps(_mm_mul_ps(halves_4(|i| weights[i].minimum()), dx), _mm_cvtepi32_ps(dots)));
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

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn store_4(out: &mut [f32], v: __m128) {
    let out = &mut out[..4];
    // SAFETY: the slice covers the 16 bytes that are written.
    unsafe { _mm_storeu_ps(out.as_mut_ptr(), v) };
}
