// SPDX-License-Identifier: MIT
//! Products of one row with one token: `sdot` where it may be used (`DOT`), else products as shorts.
#![allow(clippy::needless_range_loop, reason = "blocks of several rows are walked together")]

use core::arch::aarch64::*;
use core::arch::asm;
use core::marker::PhantomData;

use super::vector::{add_across, load, zero_i};
use super::{Panel, ROWS, Scales, four};
use crate::activation::Activation;
use crate::unpack::Block32;
use crate::unpack_k::Block256;

pub(in crate::arch) struct Panel32<B, const DOT: bool>(PhantomData<B>);
pub(in crate::arch) struct Panel256<B, const DOT: bool>(PhantomData<B>);

impl<B: Block32, const DOT: bool> Panel for Panel32<B, DOT> {
    type Block = B;

    #[inline(always)]
    fn run(rows: [&[B]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]) {
        let mut w = [[0i8; 32]; ROWS];
        for b in 0..x.width / 32 {
            let blocks: [&B; ROWS] = four(|r| &rows[r][b]);
            (0..ROWS).for_each(|r| blocks[r].unpack(&mut w[r]));
            let scales = Scales::of_32(blocks);
            for (t, sum) in sums.iter_mut().enumerate() {
                let q: &[i8; 32] = &x.token_q(first + t).as_chunks().0[b];
                let dots = four(|r| dot_32::<DOT>(&w[r], q));
                *sum = scales.add(*sum, x.token_d(first + t)[b], add_across(dots));
                if B::HAS_MIN {
                    *sum = scales.add_min(*sum, x.token_s(first + t)[b]);
                }
            }
        }
    }
}

impl<B: Block256, const DOT: bool> Panel for Panel256<B, DOT> {
    type Block = B;

    #[inline(always)]
    fn run(rows: [&[B]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]) {
        let mut w = [[0i8; 256]; ROWS];
        for b in 0..x.width / 256 {
            let blocks: [&B; ROWS] = four(|r| &rows[r][b]);
            (0..ROWS).for_each(|r| blocks[r].unpack(&mut w[r]));
            let (sub, scales) = (four(|r| blocks[r].scales()), Scales::of_256(blocks));
            for (t, sum) in sums.iter_mut().enumerate() {
                let q: &[i8; 256] = &x.token_q(first + t).as_chunks().0[b];
                let dots = four(|r| dot_256::<DOT>(&w[r], q, &sub[r].scale));
                let dx = x.token_d(first + t)[b];
                *sum = scales.add(*sum, dx, add_across(dots));
                if B::HAS_MIN {
                    let of_token: &[i16; 16] = &x.token_sums(first + t).as_chunks().0[b];
                    let mins = four(|r| dot_i16(&sub[r].min, of_token));
                    *sum = scales.subtract_mins(*sum, dx, add_across(mins));
                }
            }
        }
    }
}

/// `a[i] * b[i]` added four by four (`sdot`) or in another grouping: only the total is meant.
#[inline(always)]
fn dot_16<const DOT: bool>(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // SAFETY: NEON is part of this target; `sdot` runs only with `DOT`, which the feature word promised.
    unsafe {
        if DOT {
            asm!(".arch_extension dotprod", "sdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
                inout(vreg) sum, in(vreg) a, in(vreg) b, options(pure, nomem, nostack, preserves_flags));
            return sum;
        }
        // Two products of 8 bits fit into 16: activations are never -128.
        let products = vmlal_high_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), a, b);
        vpadalq_s16(sum, products)
    }
}

#[inline(always)]
fn dot_32<const DOT: bool>(w: &[i8; 32], q: &[i8; 32]) -> int32x4_t {
    let (w, q) = (w.as_chunks::<16>().0, q.as_chunks::<16>().0);
    let sum = dot_16::<DOT>(zero_i(), load(&w[0]), load(&q[0]));
    dot_16::<DOT>(sum, load(&w[1]), load(&q[1]))
}

#[inline(always)]
fn dot_256<const DOT: bool>(w: &[i8; 256], q: &[i8; 256], scale: &[i16; 16]) -> int32x4_t {
    let mut sum = zero_i();
    let parts = w.as_chunks::<16>().0.iter().zip(q.as_chunks::<16>().0);
    for ((w, q), scale) in parts.zip(scale) {
        let part = dot_16::<DOT>(zero_i(), load(w), load(q));
        // SAFETY: NEON is part of this target.
        sum = unsafe { vmlaq_n_s32(sum, part, i32::from(*scale)) };
    }
    sum
}

#[inline(always)]
pub(super) fn dot_i16(a: &[i16; 16], b: &[i16; 16]) -> int32x4_t {
    // SAFETY: NEON is part of this target; both arrays cover the two vectors that are read.
    unsafe {
        let (a0, a1) = (vld1q_s16(a.as_ptr()), vld1q_s16(a.as_ptr().add(8)));
        let (b0, b1) = (vld1q_s16(b.as_ptr()), vld1q_s16(b.as_ptr().add(8)));
        let sum = vmlal_high_s16(vmull_s16(vget_low_s16(a0), vget_low_s16(b0)), a0, b0);
        vmlal_high_s16(vmlal_s16(sum, vget_low_s16(a1), vget_low_s16(b1)), a1, b1)
    }
}
