// SPDX-License-Identifier: MIT
//! Int8 row products with AVX-512 VNNI.

use core::arch::x86_64::{
    __m512i, _mm_add_epi32, _mm_storeu_si128, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm512_add_epi32, _mm512_castsi512_si256, _mm512_dpbusd_epi32,
    _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_set1_epi8,
    _mm512_setzero_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use crate::row_dots::dot;

/// Rows whose sums are added up together.
const GROUP: usize = 4;

#[target_feature(enable = "avx512f")]
fn load(values: &[i8; 64]) -> __m512i {
    // SAFETY: the load has no alignment and reads 64 bytes, which the array has.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// `dpbusd` multiplies unsigned by signed, so the row is shifted by 128: what that adds, 128 times the query's sum, is the
/// same for all rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn shifted_products(query: &[[i8; 64]], row: &[[i8; 64]]) -> __m512i {
    let (shift, mut products) = (_mm512_set1_epi8(-128), _mm512_setzero_si512());
    for (q, r) in query.iter().zip(row) {
        products = _mm512_dpbusd_epi32(products, _mm512_xor_si512(load(r), shift), load(q));
    }
    products
}

#[target_feature(enable = "avx512f")]
fn fold(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
}

/// The sum of each register's 16 values.
#[target_feature(enable = "avx512f,avx2")]
fn sums([a, b, c, d]: [__m512i; GROUP]) -> [i32; GROUP] {
    let (ab, cd) = (fold(a, b), fold(c, d));
    let all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    let half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64::<1>(all));
    let quarter = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
    let mut out = [0; GROUP];
    // SAFETY: the store has no alignment and writes 16 bytes, which the array has.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), quarter) };
    out
}

/// [`crate::row_dots::row_dots`]. Rows are read in the order in which they lie, so that the hardware fetches ahead.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2")]
pub(super) fn row_dots(query: &[i8], rows: &[i8], out: &mut [i32]) {
    let dims = query.len().max(1);
    let (chunks, query_rest) = query.as_chunks::<64>();
    let offset = 128 * chunks.as_flattened().iter().map(|value| i32::from(*value)).sum::<i32>();
    let count = out.len().min(rows.len() / dims);
    let (groups, last) = out[..count].as_chunks_mut::<GROUP>();
    let (grouped, ungrouped) = rows.split_at(groups.len() * GROUP * dims);
    for (rows, out) in grouped.chunks_exact(GROUP * dims).zip(groups) {
        let mut products = [_mm512_setzero_si512(); GROUP];
        for (row, products) in rows.chunks_exact(dims).zip(&mut products) {
            *products = shifted_products(chunks, row.as_chunks().0);
        }
        *out = sums(products).map(|sum| sum.wrapping_sub(offset));
        for (row, out) in rows.chunks_exact(dims).zip(out).filter(|_| !query_rest.is_empty()) {
            *out += dot(query_rest, &row[dims - query_rest.len()..]);
        }
    }
    for (row, out) in ungrouped.chunks_exact(dims).zip(last) {
        let (row, rest) = row.as_chunks();
        let sum = _mm512_reduce_add_epi32(shifted_products(chunks, row));
        *out = sum.wrapping_sub(offset) + dot(query_rest, rest);
    }
}
