// SPDX-License-Identifier: MIT
//! Int8 row products with AVX-512 VNNI.

use core::arch::x86_64::{
    __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_set1_epi8,
    _mm512_setzero_si512, _mm512_slli_epi32, _mm512_sub_epi32, _mm512_xor_si512,
};

use crate::row_dots::dot;

#[target_feature(enable = "avx512f")]
fn load(values: &[i8; 64]) -> __m512i {
    // SAFETY: the load has no alignment and reads 64 bytes, which the array has.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// [`crate::row_dots::row_dots`]. `dpbusd` multiplies unsigned by signed, so the query is shifted by 128, and 128 times
/// the row's sum, counted alongside, is taken off again.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn row_dots(query: &[i8], rows: &[i8], out: &mut [i32]) {
    let (shift, ones) = (_mm512_set1_epi8(-128), _mm512_set1_epi8(1));
    let (query_chunks, query_rest) = query.as_chunks::<64>();
    for (row, out) in rows.chunks_exact(query.len().max(1)).zip(out) {
        let (chunks, rest) = row.as_chunks::<64>();
        let (mut products, mut sums) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        for (q, r) in query_chunks.iter().zip(chunks) {
            let (q, r) = (load(q), load(r));
            products = _mm512_dpbusd_epi32(products, _mm512_xor_si512(q, shift), r);
            sums = _mm512_dpbusd_epi32(sums, ones, r);
        }
        let exact = _mm512_sub_epi32(products, _mm512_slli_epi32::<7>(sums));
        *out = _mm512_reduce_add_epi32(exact) + dot(query_rest, rest);
    }
}
