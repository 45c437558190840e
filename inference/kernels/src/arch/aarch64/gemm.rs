// SPDX-License-Identifier: MIT
//! Tiles of `f32` products in NEON: 8 × 8 in 16 of the 32 registers.

use core::arch::aarch64::*;

use crate::gemm::{Tile, Unit};

/// Products with fused operations of four lanes.
pub(in crate::arch) struct Neon;

impl Unit<8, 8, 8> for Neon {
    fn tile(a: &[f32], b: &[f32], acc: &mut Tile<8, 8>) {
        tile(a, b, acc);
    }
}

#[allow(clippy::needless_range_loop, reason = "registers are walked together")]
fn tile(a: &[f32], b: &[f32], acc: &mut Tile<8, 8>) {
    let mut c = [[load(&[0.0; 4]); 2]; 8];
    for i in 0..8 {
        let halves = acc[i].as_chunks::<4>().0;
        c[i] = [load(&halves[0]), load(&halves[1])];
    }
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let halves = b.as_chunks::<4>().0;
        let b = [load(&halves[0]), load(&halves[1])];
        for i in 0..8 {
            c[i] = [fused(c[i][0], b[0], a[i]), fused(c[i][1], b[1], a[i])];
        }
    }
    for i in 0..8 {
        let halves = acc[i].as_chunks_mut::<4>().0;
        store(&mut halves[0], c[i][0]);
        store(&mut halves[1], c[i][1]);
    }
}

#[inline(always)]
fn load(values: &[f32; 4]) -> float32x4_t {
    // SAFETY: NEON is part of this target; the array covers the vector that is read.
    unsafe { vld1q_f32(values.as_ptr()) }
}

#[inline(always)]
fn store(values: &mut [f32; 4], v: float32x4_t) {
    // SAFETY: NEON is part of this target; the array covers the vector that is written.
    unsafe { vst1q_f32(values.as_mut_ptr(), v) }
}

/// `sum + a * b`, fused.
#[inline(always)]
fn fused(sum: float32x4_t, b: float32x4_t, a: f32) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vfmaq_n_f32(sum, b, a) }
}
