// SPDX-License-Identifier: MIT
//! One token: super-blocks of 256 elements. Products of bytes are made in pairs of 16 bits, which leaves room for the
//! sub-blocks' scales in the next multiplication. Q4_K and Q5_K are in [`super::row_k4`].

use core::arch::x86_64::*;

use super::scales::halves_4;
use super::single::{Ordered, Products, RowK};
use super::{load_16, load_32, load_64, reduce, shorts, unsigned};
use crate::blocks::*;
use crate::unpack_k::Block256;

/// The products of one super-block.
trait One: RowK {
    /// The sum of the lanes is the product of the super-block with the activations `x`, whose sums of 16 are `sums`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    unsafe fn dots(&self, x: &Ordered, sums: __m256i) -> __m512i;

    /// The sum of the lanes is the product of the minima with `sums`.
    ///
    /// # Safety
    /// The processor has the features of [`super::matmul`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn mins(&self, _: __m256i) -> __m256i {
        _mm256_setzero_si256()
    }
}

/// [`RowK::four`], block by block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn four<B: One>(blocks: &[B; 4], x: &[Ordered; 4], sums: &[[i16; 16]; 4]) -> Products {
    let sum = |i: usize| shorts(&sums[i]);
    // SAFETY: our caller promised the features.
    let dot = |i: usize| unsafe { blocks[i].dots(&x[i], sum(i)) };
    let dots = reduce::across_4([dot(0), dot(1), dot(2), dot(3)]);
    let d = halves_4(|i| blocks[i].scale());
    if !B::HAS_MIN {
        return Products { dots, d, mins: _mm_setzero_si128(), dmin: _mm_setzero_ps() };
    }
    // SAFETY: our caller promised the features.
    let min = |i: usize| unsafe { blocks[i].mins(sum(i)) };
    let mins = reduce::halves_4([min(0), min(1), min(2), min(3)]);
    Products { dots, d, mins, dmin: halves_4(|i| blocks[i].minimum()) }
}

macro_rules! by_one {
    ($($block:ty $(, $order:expr)?);*) => {$(
        impl RowK for $block {
            $(
                #[inline]
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
                unsafe fn order(q: &[i8; 256]) -> Ordered {
                    $order(q)
                }
            )?

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn four(
                blocks: &[Self; 4],
                x: &[Ordered; 4],
                sums: &[[i16; 16]; 4],
                _: &[[i16; 8]; 4],
            ) -> Products {
                four(blocks, x, sums)
            }
        }
    )*};
}

by_one!(BlockQ2K; BlockQ3K; BlockQ6K; BlockIQ4XS, order_iq4);

/// Types with 16 scales: `w` are the 256 elements in order, made unsigned by adding `B::OFFSET`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn dots_16<B: Block256>(w: [__m512i; 4], x: &Ordered, scales: __m256i, sums: __m256i) -> __m512i {
    let index = |i: i16| {
        let lane = |l: i16| _mm_set1_epi16(4 * i + l);
        let low = _mm256_set_m128i(lane(1), lane(0));
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), _mm256_set_m128i(lane(3), lane(2)))
    };
    let indices = [index(0), index(1), index(2), index(3)];
    let mut sum = _mm512_setzero_si512();
    if B::OFFSET > 0 {
        // `OFFSET * sum` may need 17 bits, half of it does not: it is taken twice.
        let half = _mm256_mullo_epi16(sums, _mm256_set1_epi16(-(B::OFFSET as i16) / 2));
        let correction = _mm256_madd_epi16(scales, half);
        sum = _mm512_zextsi256_si512(_mm256_slli_epi32::<1>(correction));
    }
    let scale = _mm512_castsi256_si512(scales);
    for i in 0..4 {
        let products = _mm512_maddubs_epi16(w[i], x[i]);
        sum = _mm512_dpwssd_epi32(sum, products, _mm512_permutexvar_epi16(indices[i], scale));
    }
    sum
}

impl One for BlockQ6K {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(&self, x: &Ordered, sums: __m256i) -> __m512i {
        let (mask, bits) = (_mm512_set1_epi8(15), _mm512_set1_epi8(0x30));
        let half = |a: i16, c: i16| _mm512_inserti64x4::<1>(_mm512_set1_epi16(a), _mm256_set1_epi16(c));
        let (up, down) = (half(4, 2), half(0, 2));
        let (ql, qh) = (self.ql.as_chunks::<64>().0, self.qh.as_chunks::<32>().0);
        let part = |i: usize| {
            let (v, h) = (load_64(&ql[i]), _mm512_broadcast_i64x4(load_32(&qh[i])));
            let low = _mm512_and_si512(_mm512_sllv_epi16(h, up), bits);
            let high = _mm512_and_si512(_mm512_srlv_epi16(h, down), bits);
            let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask);
            (_mm512_or_si512(_mm512_and_si512(v, mask), low), _mm512_or_si512(upper, high))
        };
        let ((a, c), (d, e)) = (part(0), part(1));
        let scales = _mm256_cvtepi8_epi16(load_16(unsigned(&self.scales)));
        dots_16::<Self>([a, c, d, e], x, scales, sums)
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
        impl One for $block {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn dots(&self, x: &Ordered, sums: __m256i) -> __m512i {
                dots_16::<Self>(unpacked(self), x, super::shorts(&self.scales().scale), sums)
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            unsafe fn mins(&self, sums: __m256i) -> __m256i {
                _mm256_madd_epi16(super::shorts(&self.scales().min), sums)
            }
        }
    )*};
}

by_definition!(BlockQ2K, BlockQ3K);

/// Activations of each 128-bit part of IQ4_XS in the order of its lower and upper nibbles.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn order_iq4(q: &[i8; 256]) -> Ordered {
    let parts = unsigned(q).as_chunks::<64>().0;
    let low = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13);
    let high = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
    let pick = |h: usize, order| {
        _mm512_permutex2var_epi64(load_64(&parts[2 * h]), order, load_64(&parts[2 * h + 1]))
    };
    [pick(0, low), pick(0, high), pick(1, low), pick(1, high)]
}

/// Elements up to 255 leave no room for pairs in 16 bits: scales come after the sum of four products. Each 128-bit
/// lane is a sub-block.
impl One for BlockIQ4XS {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn dots(&self, x: &Ordered, sums: __m256i) -> __m512i {
        let table = _mm512_broadcast_i32x4(load_16(unsigned(&IQ4_VALUES)));
        let table = _mm512_xor_si512(table, _mm512_set1_epi8(-128));
        let mask = _mm512_set1_epi8(15);
        let lanes = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
        let scale = super::shorts(&self.scales().scale);
        let (wide, qs) = (_mm512_cvtepi16_epi32(scale), self.qs.as_chunks::<64>().0);
        let half = |h: usize| {
            let v = load_64(&qs[h]);
            let (low, high) = (_mm512_and_si512(v, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(v), mask));
            let sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_shuffle_epi8(table, low), x[2 * h]);
            let sum = _mm512_dpbusd_epi32(sum, _mm512_shuffle_epi8(table, high), x[2 * h + 1]);
            let index = _mm512_add_epi32(lanes, _mm512_set1_epi32(8 * h as i32));
            _mm512_mullo_epi32(sum, _mm512_permutexvar_epi32(index, wide))
        };
        let correction = _mm512_slli_epi32::<7>(_mm512_zextsi256_si512(_mm256_madd_epi16(scale, sums)));
        _mm512_sub_epi32(_mm512_add_epi32(half(0), half(1)), correction)
    }
}
