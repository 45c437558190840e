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

/// Lane `4 * i + j` of the result is the sum of all lanes of vector `j` of group `i`, where each group of four vectors
/// went through [`four`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn groups(v: [__m512i; 4]) -> __m512i {
    halves(halves(v[0], v[1]), halves(v[2], v[3]))
}
