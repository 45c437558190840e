// SPDX-License-Identifier: MIT
//! Scores of several queries with sixteen keys at a time: sums of sixteen lanes, folded together by a transposition in
//! the order of [`crate::lanes::fold`].

use core::arch::x86_64::*;

use super::to_array;
use crate::attention::CacheKind;
use crate::attention_block::{Rows, RowsMut, TILE, Tile, WIDEST, scores_tiles};

/// [`crate::Kernels::scores_block`]; `false` where there is no kernel for the width.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(in crate::arch) fn scores_block(
    kind: CacheKind,
    queries: Rows<'_>,
    keys: &[u8],
    scale: f32,
    out: &mut RowsMut<'_>,
) -> bool {
    match queries.width {
        0..=32 => scores_tiles::<32>(kind, queries, keys, scale, out, |q, tile| dots(q, tile)),
        33..=64 => scores_tiles::<64>(kind, queries, keys, scale, out, |q, tile| dots(q, tile)),
        65..=128 => scores_tiles::<128>(kind, queries, keys, scale, out, |q, tile| dots(q, tile)),
        129..=WIDEST => scores_tiles::<WIDEST>(kind, queries, keys, scale, out, |q, tile| dots(q, tile)),
        _ => return false,
    }
    true
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn load(values: &[f32; 16]) -> __m512 {
    // SAFETY: the reference covers the 64 bytes that are read.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

/// The products of a query with the rows of a tile.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots<const W: usize>(query: &[f32; W], tile: &Tile<W>) -> [f32; TILE] {
    let mut sums = [_mm512_setzero_ps(); TILE];
    for (i, query) in query.as_chunks().0.iter().enumerate() {
        let query = load(query);
        for k in 0..TILE {
            let key = load(&tile[k].as_chunks().0[i]);
            sums[k] = _mm512_add_ps(sums[k], _mm512_mul_ps(query, key));
        }
    }
    to_array(fold(sums))
}

/// Lane `k` of the result is what [`crate::lanes::fold`] makes of `v[k]`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn fold(v: [__m512; TILE]) -> __m512 {
    // Lanes 8 apart, then 4 apart: whole 128-bit parts of two vectors at a time.
    let eight = |a, b| {
        _mm512_add_ps(
            _mm512_shuffle_f32x4::<0b01_00_01_00>(a, b),
            _mm512_shuffle_f32x4::<0b11_10_11_10>(a, b),
        )
    };
    let four = |a, b| {
        _mm512_add_ps(
            _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b),
            _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b),
        )
    };
    let two = |a, b| {
        let (a, b) = (_mm512_castps_pd(a), _mm512_castps_pd(b));
        let (low, high) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
        _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high))
    };
    let one = |a, b| {
        let (even, odd) =
            (_mm512_shuffle_ps::<0b10_00_10_00>(a, b), _mm512_shuffle_ps::<0b11_01_11_01>(a, b));
        _mm512_add_ps(even, odd)
    };
    // 128-bit part `p` of `quad(j)` belongs to row `j + 4 * p`, so the result comes out in order.
    let quad = |j: usize| four(eight(v[j], v[j + 4]), eight(v[j + 8], v[j + 12]));
    one(two(quad(0), quad(1)), two(quad(2), quad(3)))
}
