// SPDX-License-Identifier: MIT
//! Sums of the lanes of sixteen vectors, by transposition.

use core::arch::x86_64::*;

/// Adds neighbouring dwords of two vectors: each 128-bit lane is `[a0+a2, b0+b2, a1+a3, b1+b3]`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn pair(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
}

/// Each 128-bit lane of the result holds the sums of that lane of `a`, `b`, `c` and `d`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn four(v: [__m512i; 4]) -> __m512i {
    let (ab, cd) = (pair(v[0], v[1]), pair(v[2], v[3]));
    _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd))
}

/// Halves of two vectors added: `[a.0 + a.1, a.2 + a.3, b.0 + b.1, b.2 + b.3]` in 128-bit lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn halves(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_shuffle_i32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b))
}

/// Lane `i` of the result is the sum of all lanes of vector `i`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn across_4(v: [__m512i; 4]) -> __m128i {
    let sums = four(v);
    let half = _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums));
    _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

/// As [`across_4`], for vectors of eight lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn halves_4(v: [__m256i; 4]) -> __m128i {
    let join = |a, b| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(a), b);
    // Each 128-bit lane: [a0 + a2, b0 + b2, a1 + a3, b1 + b3].
    let (ab, cd) = (join(v[0], v[1]), join(v[2], v[3]));
    let p = pair(ab, cd);
    let p = _mm512_add_epi32(p, _mm512_shuffle_epi32::<0b01_00_11_10>(p));
    // Lanes 0 and 1 hold parts of vectors 0 and 2, lanes 2 and 3 of vectors 1 and 3.
    let (low, high) = (_mm512_castsi512_si256(p), _mm512_extracti64x4_epi64::<1>(p));
    let both = _mm256_unpacklo_epi32(low, high);
    _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256::<1>(both))
}

/// The sums of the 128-bit lanes of `a`, then those of `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn within_lanes(a: __m512i, b: __m512i) -> __m256i {
    let p = pair(a, b);
    let p = _mm512_add_epi32(p, _mm512_shuffle_epi32::<0b01_00_11_10>(p));
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm512_castsi512_si256(_mm512_permutexvar_epi32(order, p))
}

/// As [`across_4`], for eight vectors of eight lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn across_8(low: [__m256i; 4], high: [__m256i; 4]) -> __m256i {
    let pair = |a, b| _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let four = |v: [__m256i; 4]| {
        let (ab, cd) = (pair(v[0], v[1]), pair(v[2], v[3]));
        _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd))
    };
    let (low, high) = (four(low), four(high));
    let inner = _mm256_permute2x128_si256::<0x21>(low, high);
    _mm256_add_epi32(_mm256_blend_epi32::<0xf0>(low, high), inner)
}
