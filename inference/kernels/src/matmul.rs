// SPDX-License-Identifier: MIT
//! Products of a weight matrix with the activations of one or more tokens.
//!
//! The definition of each element of the result, which every instruction set reproduces bit by bit, is in
//! [`row_32`], [`row_256`] and [`crate::lanes`].

use crate::activation::{Activation, ActivationKind};
use crate::arch::dispatch;
use crate::arch::isa::Isa;
use crate::dequantize::blocks_of;
use crate::half::{bf16_to_f32, f16_to_f32};
pub(crate) use crate::matrix::Matrix;
use crate::unpack::Block32;
use crate::unpack_k::Block256;
use crate::{GgmlType, Kernels, arch, lanes};

/// Where a product goes: element (token, row) is `values[token * stride + row]`.
#[derive(Debug)]
pub struct Output<'a> {
    pub values: &'a mut [f32],
    pub stride: usize,
}

impl Kernels {
    /// `out[token][row] = dot(matrix[row], x[token])`.
    ///
    /// # Panics
    /// Where widths differ, `x` was prepared for another type, or `out` is too small: mistakes of the caller, which
    /// checked shapes when it bound the model.
    pub fn matmul(self, matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
        assert!(
            x.width == matrix.cols() && x.kind == ActivationKind::of(matrix.kind()),
            "activations for another matrix"
        );
        if x.tokens == 0 || matrix.rows() == 0 {
            return;
        }
        assert!(
            matrix.rows() <= out.stride && out.values.len() >= (x.tokens - 1) * out.stride + matrix.rows()
        );
        assert!(x.covers(), "activations are shorter than their shape");
        arch::matmul(self.0, matrix, x, out);
    }
}

/// The product by the scalar definitions, compiled for `isa`.
pub(crate) fn matmul_generic(isa: Isa, matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    match matrix.kind() {
        GgmlType::F32 => dispatch::f32s(isa, matrix, x, out),
        GgmlType::F16 => dispatch::f16s(isa, matrix, x, out),
        GgmlType::BF16 => dispatch::bf16s(isa, matrix, x, out),
        GgmlType::Q8_0 => dispatch::q8_0(isa, matrix, x, out),
        GgmlType::Q4_0 => dispatch::q4_0(isa, matrix, x, out),
        GgmlType::Q4_1 => dispatch::q4_1(isa, matrix, x, out),
        GgmlType::Q5_0 => dispatch::q5_0(isa, matrix, x, out),
        GgmlType::Q5_1 => dispatch::q5_1(isa, matrix, x, out),
        GgmlType::Q2K => dispatch::q2_k(isa, matrix, x, out),
        GgmlType::Q3K => dispatch::q3_k(isa, matrix, x, out),
        GgmlType::Q4K => dispatch::q4_k(isa, matrix, x, out),
        GgmlType::Q5K => dispatch::q5_k(isa, matrix, x, out),
        GgmlType::Q6K => dispatch::q6_k(isa, matrix, x, out),
        GgmlType::IQ4NL => dispatch::iq4_nl(isa, matrix, x, out),
        GgmlType::IQ4XS => dispatch::iq4_xs(isa, matrix, x, out),
    }
}

/// How elements of `N` bytes become `f32`.
pub(crate) trait Element<const N: usize> {
    fn get(bytes: [u8; N]) -> f32;
}

pub(crate) struct F32;
pub(crate) struct F16;
pub(crate) struct Bf16;

impl Element<4> for F32 {
    #[inline(always)]
    fn get(bytes: [u8; 4]) -> f32 {
        f32::from_le_bytes(bytes)
    }
}

impl Element<2> for F16 {
    #[inline(always)]
    fn get(bytes: [u8; 2]) -> f32 {
        f16_to_f32(u16::from_le_bytes(bytes))
    }
}

impl Element<2> for Bf16 {
    #[inline(always)]
    fn get(bytes: [u8; 2]) -> f32 {
        bf16_to_f32(u16::from_le_bytes(bytes))
    }
}

/// Elements of a row that are converted together, and tokens that share them.
const PART: usize = 256;
const TOKENS: usize = 64;
/// From this many tokens on, converting a part of a row once for all pays.
const MANY: usize = 3;

#[inline(always)]
pub(crate) fn floats<E: Element<N>, const N: usize>(
    matrix: &Matrix<'_>,
    x: &Activation<'_>,
    out: &mut Output<'_>,
) {
    for row in 0..matrix.rows() {
        let (weights, _) = matrix.row(row).as_chunks::<N>();
        if x.tokens >= MANY {
            for first in (0..x.tokens).step_by(TOKENS) {
                floats_block::<E, N>(weights, row, first, x, out);
            }
            continue;
        }
        for t in 0..x.tokens {
            out.values[t * out.stride + row] = lanes::dot_bytes(weights, x.token_values(t), E::get);
        }
    }
}

/// The products of a row with up to [`TOKENS`] tokens from `first` on.
#[inline(always)]
fn floats_block<E: Element<N>, const N: usize>(
    weights: &[[u8; N]],
    row: usize,
    first: usize,
    x: &Activation<'_>,
    out: &mut Output<'_>,
) {
    let tokens = TOKENS.min(x.tokens - first);
    let (mut sums, mut part) = ([[0f32; lanes::LANES]; TOKENS], [0f32; PART]);
    for (i, weights) in weights.chunks(PART).enumerate() {
        for (part, weight) in part.iter_mut().zip(weights) {
            *part = E::get(*weight);
        }
        for (t, sums) in sums[..tokens].iter_mut().enumerate() {
            let values = &x.token_values(first + t)[i * PART..][..weights.len()];
            *sums = lanes::dot_part(*sums, &part[..weights.len()], values);
        }
    }
    for (t, sums) in sums[..tokens].iter().enumerate() {
        out.values[(first + t) * out.stride + row] = lanes::fold(*sums);
    }
}

#[inline(always)]
pub(crate) fn each_32<B: Block32>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    for row in 0..matrix.rows() {
        let blocks = blocks_of::<B>(matrix.row(row));
        for t in 0..x.tokens {
            out.values[t * out.stride + row] = row_32(blocks, x.token_q(t), x.token_d(t), x.token_s(t));
        }
    }
}

#[inline(always)]
pub(crate) fn each_256<B: Block256>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    for row in 0..matrix.rows() {
        let blocks = blocks_of::<B>(matrix.row(row));
        for t in 0..x.tokens {
            out.values[t * out.stride + row] = row_256(blocks, x.token_q(t), x.token_d(t), x.token_sums(t));
        }
    }
}

/// One row of 32-element blocks and one token: blocks in order, `sum += (d_w * d_x) * dot`, then for types with a
/// minimum `sum += m_w * s_x`, where `s_x` is the weighed sum of the token's block.
#[inline(always)]
fn row_32<B: Block32>(blocks: &[B], q: &[i8], d: &[f32], s: &[f32]) -> f32 {
    let tokens = q.as_chunks::<32>().0.iter().zip(d).zip(s);
    let mut sum = 0.0;
    for (block, ((q, d), s)) in blocks.iter().zip(tokens) {
        let mut w = [0; 32];
        block.unpack(&mut w);
        sum += block.d() * d * dot_i8(&w, q) as f32;
        if B::HAS_MIN {
            sum += block.m() * s;
        }
    }
    sum
}

/// One row of 256-element blocks and one token: blocks in order, `sum += (d_w * d_x) * dot` with sub-block scales
/// inside the integer dot product, then for types with minima `sum -= (dmin_w * d_x) * dot(min, sums)`.
#[inline(always)]
fn row_256<B: Block256>(blocks: &[B], q: &[i8], d: &[f32], sums: &[i16]) -> f32 {
    let tokens = q.as_chunks::<256>().0.iter().zip(d).zip(sums.as_chunks::<16>().0);
    let mut sum = 0.0;
    for (block, ((q, d), sums)) in blocks.iter().zip(tokens) {
        let mut w = [0; 256];
        block.unpack(&mut w);
        let sub = block.scales();
        let parts = w.as_chunks::<16>().0.iter().zip(q.as_chunks::<16>().0);
        let dot: i32 = parts.zip(sub.scale).map(|((w, q), s)| i32::from(s) * dot_i8(w, q)).sum();
        sum += block.d() * d * dot as f32;
        if B::HAS_MIN {
            let min: i32 = sub.min.iter().zip(sums).map(|(m, s)| i32::from(*m) * i32::from(*s)).sum();
            sum -= block.dmin() * d * min as f32;
        }
    }
    sum
}

#[inline(always)]
fn dot_i8<const N: usize>(a: &[i8; N], b: &[i8; N]) -> i32 {
    let mut sum = 0;
    for i in 0..N {
        sum += i32::from(a[i]) * i32::from(b[i]);
    }
    sum
}
