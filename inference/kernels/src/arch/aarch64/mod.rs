// SPDX-License-Identifier: MIT
//! aarch64: NEON, and its products of bytes where the feature word has them.
//!
//! Four rows are computed side by side: a block of each is unpacked once and multiplied with that block of several
//! tokens. Lanes of the sums are rows, so the order within a row is the scalar definition's.

mod dot;
pub(super) mod gemm;
mod i8mm;
mod vector;

use core::arch::aarch64::float32x4_t;

use crate::GgmlType;
use crate::activation::Activation;
use crate::blocks::*;
use crate::dequantize::blocks_of;
use crate::matmul::{Matrix, Output};
use crate::unpack::Block32;
use crate::unpack_k::Block256;
use vector::{add, from_lanes, lanes, mul, mul_n, sub_f, to_float, zero};

/// Rows computed side by side.
const ROWS: usize = 4;
/// Tokens per pass over the weights.
const TOKENS: usize = 16;

/// How integers are multiplied: what runs for each kind of block.
pub(super) trait Products {
    type Of32<B: Block32>: Panel<Block = B>;
    type Of256<B: Block256>: Panel<Block = B>;
}

/// Four rows against some tokens.
pub(super) trait Panel {
    type Block: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout + zerocopy::Unaligned;

    /// Adds to `sums[t]`, whose lanes are the rows, what token `first + t` gets.
    fn run(rows: [&[Self::Block]; ROWS], x: &Activation<'_>, first: usize, sums: &mut [float32x4_t]);
}

/// What every aarch64 has: products of bytes as shorts.
pub(super) struct Plain;
/// `sdot`: a lane is the sum of four products.
pub(super) struct Dotprod;
/// `smmla`: two rows by two tokens in one instruction, and `sdot` for a token alone.
pub(super) struct I8mm;

impl Products for Plain {
    type Of32<B: Block32> = dot::Panel32<B, false>;
    type Of256<B: Block256> = dot::Panel256<B, false>;
}

impl Products for Dotprod {
    type Of32<B: Block32> = dot::Panel32<B, true>;
    type Of256<B: Block256> = dot::Panel256<B, true>;
}

impl Products for I8mm {
    type Of32<B: Block32> = i8mm::Panel32<B>;
    type Of256<B: Block256> = i8mm::Panel256<B>;
}

/// Multiplies where there is a kernel for the type; `false` where there is none.
pub(super) fn matmul<P: Products>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) -> bool {
    match matrix.kind() {
        GgmlType::F32 | GgmlType::F16 | GgmlType::BF16 => return false,
        GgmlType::Q8_0 => panels::<P::Of32<BlockQ8_0>>(matrix, x, out),
        GgmlType::Q4_0 => panels::<P::Of32<BlockQ4_0>>(matrix, x, out),
        GgmlType::Q4_1 => panels::<P::Of32<BlockQ4_1>>(matrix, x, out),
        GgmlType::Q5_0 => panels::<P::Of32<BlockQ5_0>>(matrix, x, out),
        GgmlType::Q5_1 => panels::<P::Of32<BlockQ5_1>>(matrix, x, out),
        GgmlType::IQ4NL => panels::<P::Of32<BlockIQ4NL>>(matrix, x, out),
        GgmlType::Q2K => panels::<P::Of256<BlockQ2K>>(matrix, x, out),
        GgmlType::Q3K => panels::<P::Of256<BlockQ3K>>(matrix, x, out),
        GgmlType::Q4K => panels::<P::Of256<BlockQ4K>>(matrix, x, out),
        GgmlType::Q5K => panels::<P::Of256<BlockQ5K>>(matrix, x, out),
        GgmlType::Q6K => panels::<P::Of256<BlockQ6K>>(matrix, x, out),
        GgmlType::IQ4XS => panels::<P::Of256<BlockIQ4XS>>(matrix, x, out),
    }
    true
}

/// Goes over all rows, four by four. Rows that are missing in the last panel are computed as copies of its last one.
#[inline(always)]
fn panels<P: Panel>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = four(|i| blocks_of(matrix.row((row + i).min(matrix.rows() - 1))));
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

/// `f` of each row. (`array::from_fn` and `map` are not inlined where they should be; a call for each product costs more
/// than the product.)
#[inline(always)]
fn four<T>(f: impl Fn(usize) -> T) -> [T; ROWS] {
    [f(0), f(1), f(2), f(3)]
}

/// The scales of a block of four rows, one lane each.
#[derive(Clone, Copy)]
struct Scales {
    d: float32x4_t,
    min: float32x4_t,
}

impl Scales {
    #[inline(always)]
    fn of_32<B: Block32>(blocks: [&B; ROWS]) -> Self {
        Self { d: from_lanes(four(|r| blocks[r].d())), min: from_lanes(four(|r| blocks[r].m())) }
    }

    #[inline(always)]
    fn of_256<B: Block256>(blocks: [&B; ROWS]) -> Self {
        Self { d: from_lanes(four(|r| blocks[r].d())), min: from_lanes(four(|r| blocks[r].dmin())) }
    }

    /// `sum + (d * dx) * dots`.
    #[inline(always)]
    fn add(self, sum: float32x4_t, dx: f32, dots: core::arch::aarch64::int32x4_t) -> float32x4_t {
        add(sum, mul(mul_n(self.d, dx), to_float(dots)))
    }

    /// `sum + min * s`.
    #[inline(always)]
    fn add_min(self, sum: float32x4_t, s: f32) -> float32x4_t {
        add(sum, mul_n(self.min, s))
    }

    /// `sum - (min * dx) * mins`.
    #[inline(always)]
    fn subtract_mins(self, sum: float32x4_t, dx: f32, mins: core::arch::aarch64::int32x4_t) -> float32x4_t {
        sub_f(sum, mul(mul_n(self.min, dx), to_float(mins)))
    }
}
