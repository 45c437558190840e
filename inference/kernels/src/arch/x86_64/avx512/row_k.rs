// SPDX-License-Identifier: MIT
//! One token: super-blocks of 256 elements. Products of bytes are made in pairs of 16 bits, which leaves room for the
//! sub-blocks' scales in the next multiplication.

use core::arch::x86_64::*;

use super::panel::Rows;
use super::single::RowK;
use super::{ROWS, load_16, load_32, load_64, reduce, unsigned};
use crate::blocks::*;
use crate::unpack_k::Block256;

/// The scales and minima of Q4_K and Q5_K of sixteen rows: bytes `j` of the first and the second vector are the scales
/// of sub-blocks `j` and `4 + j`; the third and fourth are minima.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn scales_k4<B: super::panel::Scaled>(rows: &Rows<'_, B>, b: usize) -> [__m512i; 4] {
    let (s0, s1, s2) = (rows.gather(b, 4), rows.gather(b, 8), rows.gather(b, 12));
    let (six, four, two) =
        (_mm512_set1_epi32(0x3f3f_3f3f), _mm512_set1_epi32(0x0f0f_0f0f), _mm512_set1_epi32(0x0303_0303));
    let upper = |s| _mm512_slli_epi32::<4>(_mm512_and_si512(_mm512_srli_epi32::<6>(s), two));
    let low = |s| _mm512_and_si512(s, four);
    [
        _mm512_and_si512(s0, six),
        _mm512_or_si512(low(s2), upper(s0)),
        _mm512_and_si512(s1, six),
        _mm512_or_si512(low(_mm512_srli_epi32::<4>(s2)), upper(s1)),
    ]
}

/// `sum over j of min[j] * sum of q in sub-block j`, sixteen rows at once.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn minima_k4(mins: [__m512i; 2], sums: &[i16; 16]) -> __m512i {
    let mut total = _mm512_setzero_si512();
    for (half, mins) in mins.into_iter().enumerate() {
        for pair in 0..2 {
            let at = 8 * half + 4 * pair;
            // Sums of 32 elements in one register: two of 16 bits.
            let (a, c) = (sums[at] + sums[at + 1], sums[at + 2] + sums[at + 3]);
            let pairs = _mm512_set1_epi32(i32::from(a) & 0xffff | i32::from(c) << 16);
            let bytes = if pair == 0 { mins } else { _mm512_srli_epi32::<16>(mins) };
            let low = _mm512_and_si512(bytes, _mm512_set1_epi32(0xff));
            let high = _mm512_slli_epi32::<8>(_mm512_and_si512(bytes, _mm512_set1_epi32(0xff00)));
            total = _mm512_dpwssd_epi32(total, _mm512_or_si512(low, high), pairs);
        }
    }
    total
}

/// Eight scales per row, as bytes of a `u64`, in row order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn by_row(low: __m512i, high: __m512i) -> [i64; ROWS] {
    let order = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
    let first = _mm512_permutex2var_epi32(low, super::integers(&order), high);
    let second = _mm512_permutex2var_epi32(low, super::integers(&order.map(|i| i + 8)), high);
    let mut out = [0; ROWS];
    // SAFETY: the array covers the two vectors of 64 bytes that are written.
    unsafe {
        _mm512_storeu_si512(out.as_mut_ptr().cast(), first);
        _mm512_storeu_si512(out.as_mut_ptr().add(8).cast(), second);
    }
    out
}

/// Shuffle that puts scale `a` into the 16-bit lanes of the lower half and `b` into those of the upper half.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn spread(a: i16, b: i16) -> __m512i {
    // The upper byte of each lane becomes 0: its index has the sign bit.
    let half = |i: i16| _mm256_set1_epi16((0x80u16 << 8) as i16 | i);
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(half(a)), half(b))
}

/// Runs `row` for sixteen rows and adds up the lanes of its results.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn sixteen(row: impl Fn(usize) -> __m512i) -> __m512i {
    let group = |i: usize| reduce::four([row(i), row(i + 1), row(i + 2), row(i + 3)]);
    reduce::groups([group(0), group(4), group(8), group(12)])
}

/// Q4_K and Q5_K: `bytes(row, i)` are 64 unsigned elements: for `i` = 0, 1, 2, 3 the sub-blocks 0 and 2, 1 and 3,
/// 4 and 6, 5 and 7.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_k4<B: super::panel::Scaled>(
    rows: &Rows<'_, B>,
    b: usize,
    q: &[i8; 256],
    sums: &[i16; 16],
    bytes: impl Fn(usize) -> [__m512i; 4],
) -> (__m512i, __m512i) {
    let [low, high, min_low, min_high] = scales_k4(rows, b);
    let scales = by_row(low, high);
    let q = unsigned(q).as_chunks::<32>().0;
    let join =
        |a: usize, c: usize| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(load_32(&q[a])), load_32(&q[c]));
    let x = [join(0, 2), join(1, 3), join(4, 6), join(5, 7)];
    let spreads = [spread(0, 2), spread(1, 3), spread(4, 6), spread(5, 7)];
    let dots = sixteen(|r| {
        let scale = _mm512_set1_epi64(scales[r]);
        let w = bytes(r);
        let mut sum = _mm512_setzero_si512();
        for i in 0..4 {
            sum = _mm512_dpwssd_epi32(
                sum,
                _mm512_maddubs_epi16(w[i], x[i]),
                _mm512_shuffle_epi8(scale, spreads[i]),
            );
        }
        sum
    });
    (dots, minima_k4([min_low, min_high], sums))
}

impl RowK for BlockQ4K {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 256], sums: &[i16; 16]) -> (__m512i, __m512i) {
        let mask = _mm512_set1_epi8(15);
        dots_k4(rows, b, q, sums, |r| {
            let qs = rows.rows[r][b].qs.as_chunks::<64>().0;
            let (a, c) = (load_64(&qs[0]), load_64(&qs[1]));
            let low = |v| _mm512_and_si512(v, mask);
            let high = |v| _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
            [low(a), high(a), low(c), high(c)]
        })
    }
}

impl RowK for BlockQ5K {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 256], sums: &[i16; 16]) -> (__m512i, __m512i) {
        let (mask, bit) = (_mm512_set1_epi8(15), _mm512_set1_epi8(16));
        dots_k4(rows, b, q, sums, |r| {
            let block = &rows.rows[r][b];
            let qs = block.qs.as_chunks::<64>().0;
            let (a, c) = (load_64(&qs[0]), load_64(&qs[1]));
            // Bits 0 and 2 of the lower and the upper half go with sub-blocks 0 and 2, and so on.
            let qh = _mm512_broadcast_i64x4(load_32(&block.qh));
            let two = _mm512_mask_blend_epi64(0xf0, qh, _mm512_srli_epi16::<2>(qh));
            let fifth = |v| _mm512_and_si512(v, bit);
            let low = |v, f| _mm512_or_si512(_mm512_and_si512(v, mask), fifth(f));
            let high = |v, f| _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16::<4>(v), mask), fifth(f));
            [
                low(a, _mm512_slli_epi16::<4>(two)),
                high(a, _mm512_slli_epi16::<3>(two)),
                low(c, two),
                high(c, _mm512_srli_epi16::<1>(two)),
            ]
        })
    }
}

/// Types with 16 scales: `bytes(row)` are the 256 elements in order, made unsigned by adding `B::OFFSET`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_16<B: Block256>(
    q: &[i8; 256],
    sums: &[i16; 16],
    scales: impl Fn(usize) -> __m256i,
    bytes: impl Fn(usize) -> [__m512i; 4],
) -> __m512i {
    let q = unsigned(q).as_chunks::<64>().0;
    let x = [load_64(&q[0]), load_64(&q[1]), load_64(&q[2]), load_64(&q[3])];
    // `OFFSET * sum` may need 17 bits; half of it stands in both halves of the register.
    let half = (B::OFFSET / 2) as i16;
    let correction = _mm512_broadcast_i64x4(super::shorts(&sums.map(|s| s.wrapping_mul(-half))));
    let index = |i: i16| {
        let lane = |l: i16| _mm_set1_epi16(4 * i + l);
        let low = _mm256_set_m128i(lane(1), lane(0));
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), _mm256_set_m128i(lane(3), lane(2)))
    };
    let indices = [index(0), index(1), index(2), index(3)];
    sixteen(|r| {
        let scale = _mm512_broadcast_i64x4(scales(r));
        let w = bytes(r);
        let mut sum = _mm512_setzero_si512();
        if B::OFFSET > 0 {
            sum = _mm512_dpwssd_epi32(sum, scale, correction);
        }
        for i in 0..4 {
            let products = _mm512_maddubs_epi16(w[i], x[i]);
            sum = _mm512_dpwssd_epi32(sum, products, _mm512_permutexvar_epi16(indices[i], scale));
        }
        sum
    })
}

impl RowK for BlockQ6K {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 256], sums: &[i16; 16]) -> (__m512i, __m512i) {
        let (mask, bits) = (_mm512_set1_epi8(15), _mm512_set1_epi8(0x30));
        let half = |a: i16, c: i16| _mm512_inserti64x4::<1>(_mm512_set1_epi16(a), _mm256_set1_epi16(c));
        let (up, down) = (half(4, 2), half(0, 2));
        let scales = |r: usize| _mm256_cvtepi8_epi16(load_16(unsigned(&rows.rows[r][b].scales)));
        let dots = dots_16::<Self>(q, sums, scales, |r| {
            let block = &rows.rows[r][b];
            let (ql, qh) = (block.ql.as_chunks::<64>().0, block.qh.as_chunks::<32>().0);
            let part = |i: usize| {
                let (v, h) = (load_64(&ql[i]), _mm512_broadcast_i64x4(load_32(&qh[i])));
                let low = _mm512_and_si512(_mm512_sllv_epi16(h, up), bits);
                let high = _mm512_and_si512(_mm512_srlv_epi16(h, down), bits);
                let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
                (_mm512_or_si512(_mm512_and_si512(v, mask), low), _mm512_or_si512(upper, high))
            };
            let ((a, c), (d, e)) = (part(0), part(1));
            [a, c, d, e]
        });
        (dots, _mm512_setzero_si512())
    }
}

/// The elements of a block, unpacked by the scalar definition and made unsigned.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn unpacked<B: Block256>(block: &B) -> [__m512i; 4] {
    let mut q = [0; 256];
    block.unpack(&mut q);
    let offset = _mm512_set1_epi8(B::OFFSET as u8 as i8);
    let parts = unsigned(&q).as_chunks::<64>().0;
    [0, 1, 2, 3].map(|i: usize| _mm512_add_epi8(load_64(&parts[i]), offset))
}

/// Types of 2 and 3 bits are unpacked by the scalar definition.
macro_rules! by_definition {
    ($($block:ty),*) => {$(
        impl RowK for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 256], sums: &[i16; 16]) -> (__m512i, __m512i) {
                let scales = |r: usize| super::shorts(&rows.rows[r][b].scales().scale);
                let dots = dots_16::<Self>(q, sums, scales, |r| unpacked(&rows.rows[r][b]));
                if !Self::HAS_MIN {
                    return (dots, _mm512_setzero_si512());
                }
                let of_token = super::shorts(sums);
                let mins = sixteen(|r| {
                    let min = super::shorts(&rows.rows[r][b].scales().min);
                    _mm512_zextsi256_si512(_mm256_madd_epi16(min, of_token))
                });
                (dots, mins)
            }
        }
    )*};
}

by_definition!(BlockQ2K, BlockQ3K);

/// Elements up to 255 leave no room for pairs in 16 bits: scales come after the sum of four products. Each 128-bit
/// lane is a sub-block; activations are put into the order of its lower and upper nibbles.
impl RowK for BlockIQ4XS {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(rows: &Rows<'_, Self>, b: usize, q: &[i8; 256], sums: &[i16; 16]) -> (__m512i, __m512i) {
        let parts = unsigned(q).as_chunks::<64>().0;
        let order = |first: i64| {
            _mm512_setr_epi64(
                first,
                first + 1,
                first + 4,
                first + 5,
                first + 8,
                first + 9,
                first + 12,
                first + 13,
            )
        };
        let pick = |h: usize, first| {
            _mm512_permutex2var_epi64(load_64(&parts[2 * h]), order(first), load_64(&parts[2 * h + 1]))
        };
        let x = [[pick(0, 0), pick(0, 2)], [pick(1, 0), pick(1, 2)]];
        let table = _mm512_broadcast_i32x4(load_16(unsigned(&IQ4_VALUES)));
        let table = _mm512_xor_si512(table, _mm512_set1_epi8(-128));
        let mask = _mm512_set1_epi8(15);
        let lanes = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
        let of_token = super::shorts(sums);
        let dots = sixteen(|r| {
            let scale = super::shorts(&rows.rows[r][b].scales().scale);
            let (wide, qs) = (_mm512_cvtepi16_epi32(scale), rows.rows[r][b].qs.as_chunks::<64>().0);
            let half = |h: usize| {
                let v = load_64(&qs[h]);
                let (low, high) =
                    (_mm512_and_si512(v, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask));
                let sum =
                    _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_shuffle_epi8(table, low), x[h][0]);
                let sum = _mm512_dpbusd_epi32(sum, _mm512_shuffle_epi8(table, high), x[h][1]);
                let index = _mm512_add_epi32(lanes, _mm512_set1_epi32(8 * h as i32));
                _mm512_mullo_epi32(sum, _mm512_permutexvar_epi32(index, wide))
            };
            let correction =
                _mm512_slli_epi32::<7>(_mm512_zextsi256_si512(_mm256_madd_epi16(scale, of_token)));
            _mm512_sub_epi32(_mm512_add_epi32(half(0), half(1)), correction)
        });
        (dots, _mm512_setzero_si512())
    }
}
