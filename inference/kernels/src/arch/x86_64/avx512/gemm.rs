// SPDX-License-Identifier: MIT
//! Several tokens: a panel of sixteen rows is unpacked once and multiplied with every token.

use core::arch::x86_64::*;

use super::columns::{Column, Columns32};
use super::columns_k::{ColumnsK, PanelK};
use super::panel::Rows;
use super::{ROWS, integers, load_64, write};
use crate::activation::Activation;
use crate::matmul::{Matrix, Output};

/// Most tokens per pass over the weights.
const TOKENS: usize = 64;

/// A block of activations of some tokens: bytes and scales without a check per access, which would cost as much as the
/// products.
#[derive(Clone, Copy)]
struct Block<'x> {
    x: &'x Activation<'x>,
    first: usize,
    /// First element of the block.
    at: usize,
    scale: usize,
}

impl<'x> Block<'x> {
    /// Block `b` of `len` elements of `tokens` tokens from `first` on.
    #[inline(always)]
    fn new(x: &'x Activation<'x>, first: usize, tokens: usize, b: usize, len: usize) -> Self {
        assert!(first + tokens <= x.tokens && (b + 1) * len <= x.width);
        Self { x, first, at: b * len, scale: b }
    }

    /// Four elements from `4 * k` on of token `t`, in every dword.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    fn four(self, t: usize, k: usize) -> __m512i {
        let at = (self.first + t) * self.x.width + self.at + 4 * k;
        debug_assert!(at + 4 <= self.x.q.len());
        // SAFETY: `new` checked token and block against the shape, and `Kernels::matmul` checked that `q` covers it.
        _mm512_set1_epi32(unsafe { self.x.q.as_ptr().add(at).cast::<i32>().read_unaligned() })
    }

    /// The scale of token `t`, in every lane; with `part` 1 the weighed sum.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    fn scale(self, t: usize, part: usize) -> __m512 {
        let at = (2 * (self.first + t) + part) * (self.x.width / 32) + self.scale;
        debug_assert!(at < self.x.d.len());
        // SAFETY: as in `four`, for `d`.
        _mm512_set1_ps(unsafe { *self.x.d.as_ptr().add(at) })
    }
}

/// Calls `$f::<N>` for groups of eight, four, two and one tokens.
macro_rules! in_groups {
    ($tokens:expr, |$at:ident| $($f:ident)::+ <$($kind:ty),*; N> ($($argument:expr),*)) => {{
        let mut $at = 0;
        while $at < $tokens {
            $at += match $tokens - $at {
                8.. => { $($f)::+::<$($kind),*, 8>($($argument),*); 8 }
                4.. => { $($f)::+::<$($kind),*, 4>($($argument),*); 4 }
                2.. => { $($f)::+::<$($kind),*, 2>($($argument),*); 2 }
                _ => { $($f)::+::<$($kind),*, 1>($($argument),*); 1 }
            };
        }
    }};
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn run_256<B: ColumnsK>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let mut panel = PanelK::EMPTY;
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = Rows::<B>::new(matrix, row);
        for first in (0..x.tokens).step_by(TOKENS) {
            let tokens = TOKENS.min(x.tokens - first);
            let mut acc = [_mm512_setzero_ps(); TOKENS];
            for b in 0..x.width / 256 {
                rows.prefetch_next(b);
                // SAFETY: our caller promised the features.
                unsafe { B::fill(&rows, b, &mut panel) };
                let scales = rows.scales(b);
                in_groups!(tokens, |at| group_256<B; N>(&panel, scales, x, b, first + at, &mut acc[at..]));
            }
            for t in 0..tokens {
                write(out, first + t, row, matrix.rows(), acc[t]);
            }
        }
    }
}

/// Super-block `b` of a panel with `N` tokens.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn group_256<B: ColumnsK, const N: usize>(
    panel: &PanelK,
    (d, dmin): (__m512, __m512),
    x: &Activation<'_>,
    b: usize,
    first: usize,
    acc: &mut [__m512],
) {
    let block = Block::new(x, first, N, b, 256);
    let sums: [&[i16; 16]; N] = core::array::from_fn(|t| &x.token_sums(first + t).as_chunks().0[b]);
    let mut starts = [[0; 16]; N];
    for t in 0..N {
        starts[t] = starts_256::<B>(sums[t]);
    }
    let mut total = [_mm512_setzero_si512(); N];
    let steps = B::SUB / 4;
    for j in 0..256 / B::SUB {
        let mut s = [_mm512_setzero_si512(); N];
        if B::OFFSET > 0 {
            for t in 0..N {
                s[t] = _mm512_set1_epi32(starts[t][j]);
            }
        }
        for k in 0..steps {
            let w = load_64(&panel.columns[j * steps + k]);
            for t in 0..N {
                s[t] = _mm512_dpbusd_epi32(s[t], w, block.four(t, j * steps + k));
            }
        }
        let scale = integers(&panel.scale[j]);
        for t in 0..N {
            total[t] = _mm512_add_epi32(total[t], _mm512_mullo_epi32(s[t], scale));
        }
    }
    let acc = &mut acc[..N];
    for t in 0..N {
        let dx = block.scale(t, 0);
        let dots = _mm512_cvtepi32_ps(total[t]);
        acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(_mm512_mul_ps(d, dx), dots));
        if B::HAS_MIN {
            let mins = _mm512_cvtepi32_ps(minima(panel, sums[t]));
            acc[t] = _mm512_sub_ps(acc[t], _mm512_mul_ps(_mm512_mul_ps(dmin, dx), mins));
        }
    }
}

/// What the sums of sub-blocks start from, so that adding `OFFSET` to the weights cancels out.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn starts_256<B: ColumnsK>(sums: &[i16; 16]) -> [i32; 16] {
    let mut out = [0; 16];
    if B::OFFSET == 0 {
        return out;
    }
    let sums = super::shorts(sums);
    if B::SUB == 16 {
        let v = _mm512_mullo_epi32(_mm512_cvtepi16_epi32(sums), _mm512_set1_epi32(-B::OFFSET));
        super::store_64(zerocopy::transmute_mut!(&mut out), v);
    } else {
        let pairs = _mm256_madd_epi16(sums, _mm256_set1_epi16(-B::OFFSET as i16));
        super::store_64(zerocopy::transmute_mut!(&mut out), _mm512_zextsi256_si512(pairs));
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn minima(panel: &PanelK, sums: &[i16; 16]) -> __m512i {
    let pairs: &[[i16; 2]; 8] = zerocopy::transmute_ref!(sums);
    let mut total = _mm512_setzero_si512();
    for j in 0..8 {
        let pair = _mm512_set1_epi32(i32::from(pairs[j][0]) & 0xffff | i32::from(pairs[j][1]) << 16);
        total = _mm512_dpwssd_epi32(total, integers(&panel.min[j]), pair);
    }
    total
}

/// Blocks whose starts are computed together.
const CHUNK: usize = 16;

/// What the sums of some blocks start from: (token, block).
type Starts = [[i32; CHUNK]; TOKENS];

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn run_32<B: Columns32>(matrix: &Matrix<'_>, x: &Activation<'_>, out: &mut Output<'_>) {
    let mut columns: [Column; 8] = [[0; 64]; 8];
    let mut starts: Starts = [[0; CHUNK]; TOKENS];
    for row in (0..matrix.rows()).step_by(ROWS) {
        let rows = Rows::<B>::new(matrix, row);
        for first in (0..x.tokens).step_by(TOKENS) {
            let tokens = TOKENS.min(x.tokens - first);
            let mut acc = [_mm512_setzero_ps(); TOKENS];
            for b in 0..x.width / 32 {
                if b % CHUNK == 0 {
                    fill_starts::<B>(x, b, first, &mut starts[..tokens]);
                }
                rows.prefetch_next(b);
                // SAFETY: our caller promised the features.
                unsafe { B::columns(&rows, b, &mut columns) };
                let scales = rows.scales(b);
                in_groups!(tokens, |at| group_32<B; N>(&columns, scales, x, b, first + at, &starts[at..], &mut acc[at..]));
            }
            for t in 0..tokens {
                write(out, first + t, row, matrix.rows(), acc[t]);
            }
        }
    }
}

/// The starts of blocks `b..b + 16`, as far as there are any.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn fill_starts<B: Columns32>(x: &Activation<'_>, b: usize, first: usize, starts: &mut [[i32; CHUNK]]) {
    if B::OFFSET == 0 {
        return;
    }
    for (t, starts) in starts.iter_mut().enumerate() {
        let sums = x.token_sums(first + t).as_chunks::<2>().0;
        for (start, sums) in starts.iter_mut().zip(&sums[b..]) {
            *start = -B::OFFSET * (i32::from(sums[0]) + i32::from(sums[1]));
        }
    }
}

/// Block `b` of a panel with `N` tokens.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn group_32<B: Columns32, const N: usize>(
    columns: &[Column; 8],
    (d, m): (__m512, __m512),
    x: &Activation<'_>,
    b: usize,
    first: usize,
    starts: &[[i32; CHUNK]],
    acc: &mut [__m512],
) {
    let block = Block::new(x, first, N, b, 32);
    let mut s = [_mm512_setzero_si512(); N];
    if B::OFFSET > 0 {
        for t in 0..N {
            s[t] = _mm512_set1_epi32(starts[t][b % CHUNK]);
        }
    }
    for k in 0..8 {
        let w = load_64(&columns[k]);
        for t in 0..N {
            s[t] = _mm512_dpbusd_epi32(s[t], w, block.four(t, k));
        }
    }
    let acc = &mut acc[..N];
    for t in 0..N {
        let dx = block.scale(t, 0);
        acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(_mm512_mul_ps(d, dx), _mm512_cvtepi32_ps(s[t])));
        if B::HAS_MIN {
            acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(m, block.scale(t, 1)));
        }
    }
}
