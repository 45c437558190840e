// SPDX-License-Identifier: MIT
//! Products of BF16 with AVX-512: an element of a panel holds two neighbouring inner indices.

use core::arch::x86_64::*;
use core::mem::transmute;

use crate::arch::x86_64::gemm_pack::{L, load, rows_of, store, transpose};
use crate::gemm::{Operand, Tile, Unit};

/// Products where there is AVX-512 BF16. Only `arch::gemm_bf16` uses it, where `Kernels::has_bf16`.
pub(in crate::arch) struct Bf16;

impl Unit<14, 16, 32> for Bf16 {
    const SHARED: usize = 2;

    fn tile(a: &[f32], b: &[f32], acc: &mut Tile<14, 32>) {
        // SAFETY: `Kernels::select` set the mark from a feature word that contains AVX-512 with BF16.
        unsafe { tile(a, b, acc) }
    }

    fn pack_a(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
        // SAFETY: as in `tile`.
        unsafe { columns(block, first, height, panel, 16) }
    }

    fn pack_b(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
        let upper = height.saturating_sub(16);
        // SAFETY: as in `tile`.
        unsafe {
            columns(block, first, height - upper, panel, 32);
            columns(block, first + 16, upper, &mut panel[16..], 32);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
#[allow(clippy::needless_range_loop, reason = "registers are walked together")]
fn tile(a: &[f32], b: &[f32], acc: &mut Tile<14, 32>) {
    let mut c = [[_mm512_setzero_ps(); 2]; 14];
    for i in 0..14 {
        c[i] = [load(&acc[i][..16]), load(&acc[i][16..])];
    }
    for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<32>().0) {
        let b = [pairs(load(&b[..16])), pairs(load(&b[16..]))];
        for i in 0..14 {
            let a = pairs(_mm512_set1_ps(a[i]));
            c[i][0] = _mm512_dpbf16_ps(c[i][0], a, b[0]);
            c[i][1] = _mm512_dpbf16_ps(c[i][1], a, b[1]);
        }
    }
    for i in 0..14 {
        let (low, high) = acc[i].split_at_mut(16);
        store(low, c[i][0]);
        store(high, c[i][1]);
    }
}

/// The same bits, seen as pairs of BF16.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn pairs(v: __m512) -> __m512bh {
    // SAFETY: both are 64 bytes without invalid values.
    unsafe { transmute(v) }
}

/// As `gemm_pack::columns`, in pairs.
#[target_feature(enable = "avx512f,avx512bf16")]
#[allow(clippy::needless_range_loop, reason = "registers and rows are walked together")]
fn columns(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32], width: usize) {
    if height > 0 && block.row(first).is_none() {
        return by_columns(block, first, height, panel, width);
    }
    let rows = rows_of(block, first, height);
    for (square, slots) in panel.chunks_mut(L * width).enumerate() {
        let mut v = [_mm512_setzero_ps(); L];
        for i in 0..height {
            let rest = &rows[i][2 * square * L..];
            v[i] = join(load(&rest[..rest.len().min(L)]), load(rest.get(L..).unwrap_or(&[])));
        }
        for (slot, v) in slots.chunks_mut(width).zip(transpose(v)) {
            store(slot, v);
        }
    }
}

/// Sixteen and sixteen elements, rounded, in their order.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn join(low: __m512, high: __m512) -> __m512 {
    // SAFETY: both are 64 bytes without invalid values.
    unsafe { transmute(_mm512_cvtne2ps_pbh(high, low)) }
}

/// Columns are contiguous: two of them are rounded and interleaved.
#[target_feature(enable = "avx512f,avx512bf16")]
fn by_columns(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32], width: usize) {
    for (pair, slot) in panel.chunks_mut(width).enumerate() {
        let low = round(load(&block.column(2 * pair, first)[..height]));
        let high = match 2 * pair + 1 < block.cols {
            true => round(load(&block.column(2 * pair + 1, first)[..height])),
            false => _mm512_setzero_si512(),
        };
        store(slot, _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32::<16>(high))));
    }
}

/// Elements rounded to BF16, in the lower halves of 32 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn round(v: __m512) -> __m512i {
    // SAFETY: both are 32 bytes without invalid values.
    let halves: __m256i = unsafe { transmute(_mm512_cvtneps_pbh(v)) };
    _mm512_cvtepu16_epi32(halves)
}
