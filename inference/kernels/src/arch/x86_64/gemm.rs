// SPDX-License-Identifier: MIT
//! Tiles of `f32` products: 14 × 32 in the 32 registers of AVX-512, 6 × 16 in the 16 of AVX2.

use core::arch::x86_64::*;

use crate::arch::x86_64::gemm_pack;
use crate::gemm::{Operand, Tile, Unit};

/// Products where there is AVX-512. Only `arch::gemm` uses it, for the `Isa` that promises the features.
pub(in crate::arch) struct Avx512;

impl Unit<14, 16, 32> for Avx512 {
    fn tile(a: &[f32], b: &[f32], acc: &mut Tile<14, 32>) {
        // SAFETY: `Kernels::select` made `Isa::Avx512` from a feature word that contains AVX-512.
        unsafe { tile_avx512(a, b, acc) }
    }

    fn pack_a(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
        // SAFETY: as in `tile`.
        unsafe { gemm_pack::columns(block, first, height, panel, 16) }
    }

    fn pack_b(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
        let upper = height.saturating_sub(16);
        // SAFETY: as in `tile`.
        unsafe {
            gemm_pack::columns(block, first, height - upper, panel, 32);
            gemm_pack::columns(block, first + 16, upper, &mut panel[16..], 32);
        }
    }
}

/// Products where there is AVX2 with FMA. Only `arch::gemm` uses it, for the `Isa` that promises the features.
pub(in crate::arch) struct Avx2;

impl Unit<6, 6, 16> for Avx2 {
    fn tile(a: &[f32], b: &[f32], acc: &mut Tile<6, 16>) {
        // SAFETY: `Kernels::select` made `Isa::Avx2` from a feature word that contains AVX2 (with FMA).
        unsafe { tile_avx2(a, b, acc) }
    }
}

#[target_feature(enable = "avx512f")]
fn load_16(values: &[f32; 16]) -> __m512 {
    // SAFETY: the load has no alignment and reads 16 elements, which the array has.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

#[target_feature(enable = "avx512f")]
fn store_16(values: &mut [f32; 16], v: __m512) {
    // SAFETY: the store has no alignment and writes 16 elements, which the array has.
    unsafe { _mm512_storeu_ps(values.as_mut_ptr(), v) }
}

#[target_feature(enable = "avx512f")]
#[allow(clippy::needless_range_loop, reason = "registers are walked together")]
fn tile_avx512(a: &[f32], b: &[f32], acc: &mut Tile<14, 32>) {
    let mut c = [[_mm512_setzero_ps(); 2]; 14];
    for i in 0..14 {
        let halves = acc[i].as_chunks::<16>().0;
        c[i] = [load_16(&halves[0]), load_16(&halves[1])];
    }
    for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<32>().0) {
        let halves = b.as_chunks::<16>().0;
        let b = [load_16(&halves[0]), load_16(&halves[1])];
        for i in 0..14 {
            let a = _mm512_set1_ps(a[i]);
            c[i][0] = _mm512_fmadd_ps(a, b[0], c[i][0]);
            c[i][1] = _mm512_fmadd_ps(a, b[1], c[i][1]);
        }
    }
    for i in 0..14 {
        let halves = acc[i].as_chunks_mut::<16>().0;
        store_16(&mut halves[0], c[i][0]);
        store_16(&mut halves[1], c[i][1]);
    }
}

#[target_feature(enable = "avx2,fma")]
fn load_8(values: &[f32; 8]) -> __m256 {
    // SAFETY: the load has no alignment and reads 8 elements, which the array has.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

#[target_feature(enable = "avx2,fma")]
fn store_8(values: &mut [f32; 8], v: __m256) {
    // SAFETY: the store has no alignment and writes 8 elements, which the array has.
    unsafe { _mm256_storeu_ps(values.as_mut_ptr(), v) }
}

#[target_feature(enable = "avx2,fma")]
#[allow(clippy::needless_range_loop, reason = "registers are walked together")]
fn tile_avx2(a: &[f32], b: &[f32], acc: &mut Tile<6, 16>) {
    let mut c = [[_mm256_setzero_ps(); 2]; 6];
    for i in 0..6 {
        let halves = acc[i].as_chunks::<8>().0;
        c[i] = [load_8(&halves[0]), load_8(&halves[1])];
    }
    for (a, b) in a.as_chunks::<6>().0.iter().zip(b.as_chunks::<16>().0) {
        let halves = b.as_chunks::<8>().0;
        let b = [load_8(&halves[0]), load_8(&halves[1])];
        for i in 0..6 {
            let a = _mm256_set1_ps(a[i]);
            c[i][0] = _mm256_fmadd_ps(a, b[0], c[i][0]);
            c[i][1] = _mm256_fmadd_ps(a, b[1], c[i][1]);
        }
    }
    for i in 0..6 {
        let halves = acc[i].as_chunks_mut::<8>().0;
        store_8(&mut halves[0], c[i][0]);
        store_8(&mut halves[1], c[i][1]);
    }
}
