// SPDX-License-Identifier: MIT
//! One token at a time: blocks are read in the order in which they stand in the file, so that memory sees a single
//! stream. What they contribute goes to a tile; sixteen rows together are then added up, block by block.
//!
//! Blocks are taken in groups without regard to where rows end: the activations are repeated behind their end, so that
//! a group which reaches into the next row finds that row's.

use core::arch::x86_64::*;
use core::ops::Range;

use super::scales::{Scaled, halves_8, prefetch};
use super::tile::{self, Tile};
use super::{ROWS, load_64, shorts, unsigned, write};
use crate::activation::Activation;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};
use crate::unpack::Block32;
use crate::unpack_k::Block256;

/// Blocks per row of a tile, for types of 32 and of 256 elements. Longer rows are taken in parts, which costs the single
/// stream; but what rows that are short never need would have to be cleared for every product.
const CHUNK_32: usize = 128;
const LONG_32: usize = 512;
const CHUNK_K: usize = 64;
const TILE_K: usize = ROWS * CHUNK_K + 4;
/// Blocks per group.
const GROUP_32: usize = 8;
const GROUP_K: usize = 4;

/// The integer products of eight neighbouring blocks of a row with one token's.
pub(super) trait Row32: Block32 + Scaled {
    /// Lane `i` is the product of block `i`, made unsigned by adding `OFFSET`, with `q[32 * i..][..32]`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn dots(blocks: &[Self; 8], q: &[i8; 256]) -> __m256i;
}

/// The elements of 256 activations in the order in which [`RowK::four`] wants them.
pub(super) type Ordered = [__m512i; 4];

/// The integer products of super-blocks with one token's.
pub(super) trait RowK: Block256 + Scaled {
    /// Activations in the order of the elements that `four` unpacks.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn order(q: &[i8; 256]) -> Ordered {
        let q = unsigned(q).as_chunks::<64>().0;
        [load_64(&q[0]), load_64(&q[1]), load_64(&q[2]), load_64(&q[3])]
    }

    /// The products of four super-blocks; `sums` are those of 16 activations each, `pairs` those of 32.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn four(
        blocks: &[Self; 4],
        x: &[Ordered; 4],
        sums: &[[i16; 16]; 4],
        pairs: &[[i16; 8]; 4],
    ) -> Products;
}

/// Integer products and scales of four super-blocks.
pub(super) struct Products {
    pub(super) dots: __m128i,
    pub(super) d: __m128,
    pub(super) mins: __m128i,
    pub(super) dmin: __m128,
}

/// The parts that rows of `blocks` blocks are taken in: equal but for the last, none longer than `most`.
#[inline(always)]
fn parts(blocks: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let len = blocks.div_ceil(blocks.div_ceil(most).max(1)).max(1);
    (0..blocks).step_by(len).map(move |from| from..blocks.min(from + len))
}

/// `out[i] = values[i % values.len()]`.
#[inline(always)]
fn repeat<T: Copy>(values: &[T], out: &mut [T]) {
    let (first, rest) = out.split_at_mut(values.len());
    first.copy_from_slice(values);
    rest.iter_mut().zip(values.iter().cycle()).for_each(|(out, value)| *out = *value);
}

#[inline(always)]
fn part<T, const N: usize>(values: &[T], at: usize) -> &[T; N] {
    values[at..].first_chunk().expect("a group lies within what was prepared")
}

/// Calls `group(at, column)` for every group of `len` of `total` blocks in rows of `blocks`; the last group reaches back
/// where they do not come out even. There must be `len` blocks.
#[inline(always)]
fn groups(total: usize, blocks: usize, len: usize, mut group: impl FnMut(usize, usize)) {
    let mut column = 0;
    for at in (0..total.saturating_sub(len - 1)).step_by(len) {
        group(at, column);
        column += len;
        while column >= blocks {
            column -= blocks;
        }
    }
    if !total.is_multiple_of(len) {
        group(total - len, (total - len) % blocks);
    }
}

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
pub(super) fn run_32<B: Row32>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
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

/// Calls `run(weights, at)` for neighbouring blocks of `rows`: all at once where `part` is the whole row, otherwise row
/// by row; `at` is where their products belong.
#[inline(always)]
fn products<B>(
    all: &[B],
    blocks: usize,
    rows: Range<usize>,
    part: Range<usize>,
    mut run: impl FnMut(&[B], usize),
) {
    if part.len() == blocks {
        return run(&all[rows.start * blocks..rows.end * blocks], 0);
    }
    for (i, row) in rows.enumerate() {
        run(&all[row * blocks..][part.clone()], i * part.len());
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
pub(super) fn run_256<B: RowK>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
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

/// The sums so far of `here` rows of token `t`, from `row` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn read(out: &Output<'_>, t: usize, row: usize, here: usize) -> __m512 {
    let mut sums = [0.0; ROWS];
    sums[..here].copy_from_slice(&out.values[t * out.stride + row..][..here]);
    // SAFETY: the array covers the 64 bytes that are read.
    unsafe { _mm512_loadu_ps(sums.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn floats_4(values: &[f32; 4]) -> __m128 {
    // SAFETY: the reference covers the 16 bytes that are read.
    unsafe { _mm_loadu_ps(values.as_ptr()) }
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
