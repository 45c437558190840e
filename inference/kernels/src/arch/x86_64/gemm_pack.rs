// SPDX-License-Identifier: MIT
//! Packs rows into panels with AVX-512: squares of 16 × 16 elements are transposed in registers.

use core::arch::x86_64::*;

use crate::gemm::Operand;

/// Elements of a register.
pub(super) const L: usize = 16;

/// Puts rows `first..first + height` (at most 16) of `block` into 16 columns of `panel`, which has rows of `width`
/// elements; missing rows are zeros.
#[target_feature(enable = "avx512f")]
#[allow(clippy::needless_range_loop, reason = "registers and rows are walked together")]
pub(super) fn columns(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32], width: usize) {
    if height > 0 && block.row(first).is_none() {
        for (col, slot) in panel.chunks_mut(width).enumerate() {
            store(slot, load(&block.column(col, first)[..height]));
        }
        return;
    }
    let rows = rows_of(block, first, height);
    for (square, slots) in panel.chunks_mut(L * width).enumerate() {
        let mut v = [_mm512_setzero_ps(); L];
        for i in 0..height {
            v[i] = load(&rows[i][square * L..]);
        }
        for (slot, v) in slots.chunks_mut(width).zip(transpose(v)) {
            store(slot, v);
        }
    }
}

/// Rows `first..first + height`, then empty ones.
#[inline]
pub(super) fn rows_of<'a>(block: Operand<'a>, first: usize, height: usize) -> [&'a [f32]; L] {
    let mut rows: [&[f32]; L] = [&[]; L];
    for (i, row) in rows.iter_mut().enumerate().take(height) {
        *row = block.row(first + i).unwrap_or(&[]);
    }
    rows
}

/// Up to 16 elements, then zeros.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(values: &[f32]) -> __m512 {
    let mask = if values.len() >= L { 0xffff } else { (1u16 << values.len()) - 1 };
    // SAFETY: the load has no alignment and reads as many elements as the slice has, 16 at most.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(values: &mut [f32], v: __m512) {
    if let Some(values) = values.first_chunk_mut::<L>() {
        // SAFETY: the store has no alignment and writes 16 elements, which the array has.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), v) }
    }
}

/// Rows become columns: first within pairs, then within groups of four, then between the quarters of registers.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose(r: [__m512; L]) -> [__m512; L] {
    let (mut t, mut u, mut out) = (r, r, r);
    for i in 0..8 {
        t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    for g in (0..L).step_by(4) {
        (u[g], u[g + 1]) = pairs(t[g], t[g + 2]);
        (u[g + 2], u[g + 3]) = pairs(t[g + 1], t[g + 3]);
    }
    for j in 0..4 {
        let (a, b) = quarters(u[j], u[4 + j]);
        let (c, d) = quarters(u[8 + j], u[12 + j]);
        (out[j], out[8 + j]) = quarters(a, c);
        (out[4 + j], out[12 + j]) = quarters(b, d);
    }
    out
}

/// Lower and upper pairs of elements of every quarter.
#[inline]
#[target_feature(enable = "avx512f")]
fn pairs(a: __m512, b: __m512) -> (__m512, __m512) {
    let (a, b) = (_mm512_castps_pd(a), _mm512_castps_pd(b));
    (_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)))
}

/// Even and odd quarters.
#[inline]
#[target_feature(enable = "avx512f")]
fn quarters(a: __m512, b: __m512) -> (__m512, __m512) {
    (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b))
}
