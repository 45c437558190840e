// SPDX-License-Identifier: MIT
//! What is asked of memory ahead of time.

use core::arch::x86_64::*;

pub(super) use super::super::scales::{Scaled, halves_4, halves_8};

/// Bytes between what is multiplied and what is asked for: memory answers after about what is multiplied meanwhile.
/// Measured (docs/performance.md): 2 KiB is worse than nothing, 5 to 9 KiB are good, powers of two are not the best.
const AHEAD: usize = 6656;

/// Asks for what lies some way behind `blocks`: the hardware stops its own prefetching at every page.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn prefetch<B, const N: usize>(blocks: &[B; N]) {
    let start = blocks.as_ptr().cast::<i8>().wrapping_add(AHEAD);
    for line in (0..size_of::<[B; N]>()).step_by(64) {
        _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line));
    }
}
