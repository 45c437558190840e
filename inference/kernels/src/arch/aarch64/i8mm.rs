// SPDX-License-Identifier: MIT
//! Products of 8-bit matrices (`smmla`, ARMv8.6): for prompts, where rows and tokens both come in pairs.
//!
//! A vector holds eight elements of one row and the same eight of the next, or of one token and the next; the four
//! lanes of a product are (token 0, row 0), (token 0, row 1), (token 1, row 0), (token 1, row 1). The integers are those
//! of the dot products, so the results are the same bits. A token alone is what `sdot` is for.
#![allow(clippy::needless_range_loop, reason = "blocks of several rows are walked together")]

use core::arch::aarch64::*;
use core::arch::asm;
use core::marker::PhantomData;

use super::vector::{add_across, load, zero_i};
use super::{Panel, ROWS, Scales, dot, four};
use crate::activation::Activation;
use crate::unpack::Block32;
use crate::unpack_k::{Block256, SubScales};

/// Pairs of rows in a panel.
const PAIRS: usize = ROWS / 2;

pub(in crate::arch) struct Panel32<B>(PhantomData<B>);
pub(in crate::arch) struct Panel256<B>(PhantomData<B>);

impl<B: Block32> Panel for Panel32<B> {
    type Block = B;

    #[inline(always)]
    fn run(rows: [&[B]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]) {
        if sums.len() == 1 {
            return dot::Panel32::<B, true>::run(rows, x, first, sums);
        }
        let mut w = [[0i8; 32]; ROWS];
        for b in 0..x.width / 32 {
            let blocks: [&B; ROWS] = four(|r| &rows[r][b]);
            (0..ROWS).for_each(|r| blocks[r].unpack(&mut w[r]));
            let pairs = [interleave_32(&w[0], &w[1]), interleave_32(&w[2], &w[3])];
            let scales = Scales::of_32(blocks);
            for (p, sums) in sums.chunks_mut(2).enumerate() {
                let t = first + 2 * p;
                let q = |t: usize| &x.token_q(t).as_chunks::<32>().0[b];
                let q = interleave_32(q(t), q(t + sums.len() - 1));
                let product = |w: [Pair; 2]| multiply(multiply(zero_i(), q[0], w[0]), q[1], w[1]);
                let dots = by_token([product(pairs[0]), product(pairs[1])]);
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = scales.add(*sum, x.token_d(t + i)[b], dots[i]);
                    if B::HAS_MIN {
                        *sum = scales.add_min(*sum, x.token_s(t + i)[b]);
                    }
                }
            }
        }
    }
}

impl<B: Block256> Panel for Panel256<B> {
    type Block = B;

    #[inline(always)]
    fn run(rows: [&[B]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]) {
        if sums.len() == 1 {
            return dot::Panel256::<B, true>::run(rows, x, first, sums);
        }
        let mut w = [[0i8; 256]; ROWS];
        let mut pairs = [SubBlocks::empty(), SubBlocks::empty()];
        for b in 0..x.width / 256 {
            let blocks: [&B; ROWS] = four(|r| &rows[r][b]);
            (0..ROWS).for_each(|r| blocks[r].unpack(&mut w[r]));
            let (sub, scales) = (four(|r| blocks[r].scales()), Scales::of_256(blocks));
            for (p, pair) in pairs.iter_mut().enumerate() {
                pair.fill([&w[2 * p], &w[2 * p + 1]], [&sub[2 * p], &sub[2 * p + 1]]);
            }
            for (p, sums) in sums.chunks_mut(2).enumerate() {
                let t = first + 2 * p;
                let q = |t: usize| &x.token_q(t).as_chunks::<256>().0[b];
                let dots = dots_256(&pairs, q(t), q(t + sums.len() - 1));
                for (i, sum) in sums.iter_mut().enumerate() {
                    let dx = x.token_d(t + i)[b];
                    *sum = scales.add(*sum, dx, dots[i]);
                    if B::HAS_MIN {
                        let of_token: &[i16; 16] = &x.token_sums(t + i).as_chunks().0[b];
                        let mins = four(|r| dot::dot_i16(&sub[r].min, of_token));
                        *sum = scales.subtract_mins(*sum, dx, add_across(mins));
                    }
                }
            }
        }
    }
}

/// Sixteen elements of two rows or two tokens: the first eight of both, the other eight of both.
type Pair = [int8x16_t; 2];

#[inline(always)]
fn interleave(a: &[i8; 16], b: &[i8; 16]) -> Pair {
    // SAFETY: NEON is part of this target.
    unsafe {
        let (a, b) = (vreinterpretq_s64_s8(load(a)), vreinterpretq_s64_s8(load(b)));
        [vreinterpretq_s8_s64(vzip1q_s64(a, b)), vreinterpretq_s8_s64(vzip2q_s64(a, b))]
    }
}

#[inline(always)]
fn interleave_32(a: &[i8; 32], b: &[i8; 32]) -> [Pair; 2] {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    [interleave(&a[0], &b[0]), interleave(&a[1], &b[1])]
}

/// A super-block of two rows.
struct SubBlocks {
    w: [Pair; 16],
    /// Lanes are rows 0, 1, 0, 1.
    scale: [int32x4_t; 16],
}

impl SubBlocks {
    #[inline(always)]
    fn empty() -> Self {
        let zero = load(&[0; 16]);
        Self { w: [[zero; 2]; 16], scale: [zero_i(); 16] }
    }

    #[inline(always)]
    fn fill(&mut self, w: [&[i8; 256]; 2], sub: [&SubScales; 2]) {
        let rows = w[0].as_chunks::<16>().0.iter().zip(w[1].as_chunks::<16>().0);
        for (pair, (a, b)) in self.w.iter_mut().zip(rows) {
            *pair = interleave(a, b);
        }
        for (pair, (a, b)) in self.scale.iter_mut().zip(sub[0].scale.iter().zip(&sub[1].scale)) {
            let (a, b) = (i32::from(*a), i32::from(*b));
            // SAFETY: NEON is part of this target; the array covers the vector that is read.
            *pair = unsafe { vld1q_s32([a, b, a, b].as_ptr()) };
        }
    }
}

/// The weighed products of four rows with two tokens: for each token a vector whose lanes are rows.
#[inline(always)]
fn dots_256(pairs: &[SubBlocks; PAIRS], q0: &[i8; 256], q1: &[i8; 256]) -> [int32x4_t; 2] {
    let mut sums = [zero_i(); PAIRS];
    for (i, (q0, q1)) in q0.as_chunks::<16>().0.iter().zip(q1.as_chunks::<16>().0).enumerate() {
        let q = interleave(q0, q1);
        for (sum, pair) in sums.iter_mut().zip(pairs) {
            let part = multiply(zero_i(), q, pair.w[i]);
            // SAFETY: NEON is part of this target.
            *sum = unsafe { vmlaq_s32(*sum, part, pair.scale[i]) };
        }
    }
    by_token(sums)
}

/// Lanes (token, row) of both pairs of rows as one vector for each token.
#[inline(always)]
fn by_token(pairs: [int32x4_t; PAIRS]) -> [int32x4_t; 2] {
    // SAFETY: NEON is part of this target.
    unsafe {
        let (a, b) = (vreinterpretq_s64_s32(pairs[0]), vreinterpretq_s64_s32(pairs[1]));
        [vreinterpretq_s32_s64(vzip1q_s64(a, b)), vreinterpretq_s32_s64(vzip2q_s64(a, b))]
    }
}

/// Adds the products of sixteen elements of two tokens with those of two rows.
#[inline(always)]
fn multiply(sum: int32x4_t, tokens: Pair, rows: Pair) -> int32x4_t {
    let mut sum = sum;
    for (tokens, rows) in tokens.into_iter().zip(rows) {
        // SAFETY: only the panels of this file call it, which `Kernels::select` chooses where the feature word has I8MM.
        unsafe {
            asm!(".arch_extension i8mm", "smmla {0:v}.4s, {1:v}.16b, {2:v}.16b",
                inout(vreg) sum, in(vreg) tokens, in(vreg) rows, options(pure, nomem, nostack, preserves_flags));
        }
    }
    sum
}
