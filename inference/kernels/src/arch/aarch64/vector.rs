// SPDX-License-Identifier: MIT
//! Vectors as values: what NEON has on every aarch64, without `unsafe` at each use.

use core::arch::aarch64::*;

#[inline(always)]
pub(super) fn load(a: &[i8; 16]) -> int8x16_t {
    // SAFETY: NEON is part of this target; the reference covers the 16 bytes that are read.
    unsafe { vld1q_s8(a.as_ptr()) }
}

/// Lane `i` is the sum of the lanes of `sums[i]`.
#[inline(always)]
pub(super) fn add_across(sums: [int32x4_t; 4]) -> int32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3])) }
}

#[inline(always)]
pub(super) fn zero() -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vdupq_n_f32(0.0) }
}

#[inline(always)]
pub(super) fn zero_i() -> int32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vdupq_n_s32(0) }
}

#[inline(always)]
pub(super) fn from_lanes(lanes: [f32; 4]) -> float32x4_t {
    // SAFETY: NEON is part of this target; the array covers the vector that is read.
    unsafe { vld1q_f32(lanes.as_ptr()) }
}

#[inline(always)]
pub(super) fn lanes(v: float32x4_t) -> [f32; 4] {
    let mut out = [0.0; 4];
    // SAFETY: NEON is part of this target; the array covers the vector that is written.
    unsafe { vst1q_f32(out.as_mut_ptr(), v) };
    out
}

#[inline(always)]
pub(super) fn to_float(v: int32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vcvtq_f32_s32(v) }
}

#[inline(always)]
pub(super) fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vmulq_f32(a, b) }
}

#[inline(always)]
pub(super) fn mul_n(a: float32x4_t, b: f32) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vmulq_n_f32(a, b) }
}

#[inline(always)]
pub(super) fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vaddq_f32(a, b) }
}

#[inline(always)]
pub(super) fn sub_f(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of this target.
    unsafe { vsubq_f32(a, b) }
}
