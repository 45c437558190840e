// SPDX-License-Identifier: MIT
//! aarch64: NEON, and its int8 dot products where the feature word has them.
//!
//! Four rows are computed side by side: a block of each is unpacked once and multiplied with that block of up to
//! eight tokens. Lanes of the sums are rows, so the order within a row is the scalar definition's.
#![allow(clippy::needless_range_loop, reason = "blocks of several rows are walked together")]

use core::arch::aarch64::*;
use core::arch::asm;

use crate::GgmlType;
use crate::activation::Activation;
use crate::blocks::*;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};
use crate::unpack::Block32;
use crate::unpack_k::Block256;

/// Rows computed side by side.
const ROWS: usize = 4;
/// Tokens per pass over the weights.
const TOKENS: usize = 8;

/// Multiplies where there is a kernel for the type; `false` where there is none. `DOT`: `sdot` may be used.
pub(super) fn matmul<const DOT: bool>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) -> bool {
    match matrix.kind() {
        GgmlType::F32 | GgmlType::F16 | GgmlType::BF16 => return false,
        GgmlType::Q8_0 => panels::<Panel32<BlockQ8_0, DOT>>(matrix, x, out),
        GgmlType::Q4_0 => panels::<Panel32<BlockQ4_0, DOT>>(matrix, x, out),
        GgmlType::Q4_1 => panels::<Panel32<BlockQ4_1, DOT>>(matrix, x, out),
        GgmlType::Q5_0 => panels::<Panel32<BlockQ5_0, DOT>>(matrix, x, out),
        GgmlType::Q5_1 => panels::<Panel32<BlockQ5_1, DOT>>(matrix, x, out),
        GgmlType::IQ4NL => panels::<Panel32<BlockIQ4NL, DOT>>(matrix, x, out),
        GgmlType::Q2K => panels::<Panel256<BlockQ2K, DOT>>(matrix, x, out),
        GgmlType::Q3K => panels::<Panel256<BlockQ3K, DOT>>(matrix, x, out),
        GgmlType::Q4K => panels::<Panel256<BlockQ4K, DOT>>(matrix, x, out),
        GgmlType::Q5K => panels::<Panel256<BlockQ5K, DOT>>(matrix, x, out),
        GgmlType::Q6K => panels::<Panel256<BlockQ6K, DOT>>(matrix, x, out),
        GgmlType::IQ4XS => panels::<Panel256<BlockIQ4XS, DOT>>(matrix, x, out),
    }
    true
}

/// Four rows against some tokens.
trait Panel {
    type Block;

    /// Adds to `sums[t]`, whose lanes are the rows.
    fn run(rows: [&[Self::Block]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]);
}

struct Panel32<B, const DOT: bool>(core::marker::PhantomData<B>);
struct Panel256<B, const DOT: bool>(core::marker::PhantomData<B>);

/// Goes over all rows, four by four. Rows that are missing in the last panel are computed as copies of its last one.
#[inline(always)]
fn panels<P: Panel>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>)
where
    P::Block: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout + zerocopy::Unaligned,
{
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = core::array::from_fn(|i| blocks_of(matrix.row((row + i).min(matrix.rows() - 1))));
        for first in (0..x.tokens).step_by(TOKENS) {
            let tokens = TOKENS.min(x.tokens - first);
            let mut sums = [zero(); TOKENS];
            P::run(rows, x, first, &mut sums[..tokens]);
            for (t, sum) in sums[..tokens].iter().enumerate() {
                let at = (first + t) * out.stride + row;
                let here = ROWS.min(matrix.rows() - row);
                out.values[at..at + here].copy_from_slice(&lanes(*sum)[..here]);
            }
        }
    }
}

impl<B: Block32, const DOT: bool> Panel for Panel32<B, DOT> {
    type Block = B;

    #[inline(always)]
    fn run(rows: [&[B]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]) {
        let mut w = [[0i8; 32]; ROWS];
        for b in 0..x.width / 32 {
            let blocks: [&B; ROWS] = core::array::from_fn(|r| &rows[r][b]);
            (0..ROWS).for_each(|r| blocks[r].unpack(&mut w[r]));
            let (d, m) = (from_lanes(blocks.map(|b| b.d())), from_lanes(blocks.map(|b| b.m())));
            for (t, sum) in sums.iter_mut().enumerate() {
                let q: &[i8; 32] = &x.token_q(first + t).as_chunks().0[b];
                let dots = core::array::from_fn(|r| dot_32::<DOT>(&w[r], q));
                let scaled = mul_n(d, x.token_d(first + t)[b]);
                *sum = add(*sum, mul(scaled, to_float(add_across(dots))));
                if B::HAS_MIN {
                    *sum = add(*sum, mul_n(m, x.token_s(first + t)[b]));
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
            let blocks: [&B; ROWS] = core::array::from_fn(|r| &rows[r][b]);
            (0..ROWS).for_each(|r| blocks[r].unpack(&mut w[r]));
            let sub = blocks.map(|b| b.scales());
            let (d, dmin) = (from_lanes(blocks.map(|b| b.d())), from_lanes(blocks.map(|b| b.dmin())));
            for (t, sum) in sums.iter_mut().enumerate() {
                let q: &[i8; 256] = &x.token_q(first + t).as_chunks().0[b];
                let dots = core::array::from_fn(|r| dot_256::<DOT>(&w[r], q, &sub[r].scale));
                let dx = x.token_d(first + t)[b];
                *sum = add(*sum, mul(mul_n(d, dx), to_float(add_across(dots))));
                if B::HAS_MIN {
                    let of_token: &[i16; 16] = &x.token_sums(first + t).as_chunks().0[b];
                    let mins = core::array::from_fn(|r| dot_i16(&sub[r].min, of_token));
                    *sum = sub_f(*sum, mul(mul_n(dmin, dx), to_float(add_across(mins))));
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
fn load(a: &[i8; 16]) -> int8x16_t {
    // SAFETY: NEON is part of this target; the reference covers the 16 bytes that are read.
    unsafe { vld1q_s8(a.as_ptr()) }
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
fn dot_i16(a: &[i16; 16], b: &[i16; 16]) -> int32x4_t {
    // SAFETY: NEON is part of this target; both arrays cover the two vectors that are read.
    unsafe {
        let (a0, a1) = (vld1q_s16(a.as_ptr()), vld1q_s16(a.as_ptr().add(8)));
        let (b0, b1) = (vld1q_s16(b.as_ptr()), vld1q_s16(b.as_ptr().add(8)));
        let sum = vmlal_high_s16(vmull_s16(vget_low_s16(a0), vget_low_s16(b0)), a0, b0);
        vmlal_high_s16(vmlal_s16(sum, vget_low_s16(a1), vget_low_s16(b1)), a1, b1)
    }
}

/// Lane `i` is the sum of the lanes of `sums[i]`.
#[inline(always)]
fn add_across(sums: [int32x4_t; 4]) -> int32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3])) }
}

#[inline(always)]
fn zero() -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vdupq_n_f32(0.0) }
}

#[inline(always)]
fn zero_i() -> int32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vdupq_n_s32(0) }
}

#[inline(always)]
fn from_lanes(lanes: [f32; 4]) -> float32x4_t {
    // SAFETY: NEON is part of this target; the array covers the vector that is read.
    unsafe { vld1q_f32(lanes.as_ptr()) }
}

#[inline(always)]
fn lanes(v: float32x4_t) -> [f32; 4] {
    let mut out = [0.0; 4];
    // SAFETY: NEON is part of this target; the array covers the vector that is written.
    unsafe { vst1q_f32(out.as_mut_ptr(), v) };
    out
}

#[inline(always)]
fn to_float(v: int32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vcvtq_f32_s32(v) }
}

#[inline(always)]
fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vmulq_f32(a, b) }
}

#[inline(always)]
fn mul_n(a: float32x4_t, b: f32) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vmulq_n_f32(a, b) }
}

#[inline(always)]
fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vaddq_f32(a, b) }
}

#[inline(always)]
fn sub_f(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vsubq_f32(a, b) }
}
