// SPDX-License-Identifier: MIT
//! One token at a time: blocks are read in the order in which they stand in the file, so that memory sees a single
//! stream. What they contribute goes to a tile; sixteen rows together are then added up, block by block.
//!
//! Blocks are taken in groups without regard to where rows end: the activations are repeated behind their end, so that
//! a group which reaches into the next row finds that row's.

mod of_256;
mod of_32;

use core::arch::x86_64::*;
use core::ops::Range;

pub(super) use of_32::run_32;
pub(super) use of_256::run_256;

use super::scales::Scaled;
use super::{ROWS, load_64, unsigned};
use crate::matmul::Output;
use crate::unpack::Block32;
use crate::unpack_k::Block256;

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

/// The sums so far of `here` rows of token `t`, from `row` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn read(out: &Output<'_>, t: usize, row: usize, here: usize) -> __m512 {
    let mut sums = [0.0; ROWS];
    sums[..here].copy_from_slice(&out.values[t * out.stride + row..][..here]);
    // SAFETY: the array covers the 64 bytes that are read.
    unsafe { _mm512_loadu_ps(sums.as_ptr()) }
}
