// SPDX-License-Identifier: MIT
//! x86-64.

pub(super) mod avx512;

/// Runs `work` compiled for AVX2.
///
/// # Safety
/// The processor has AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn run_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Runs `work` compiled for AVX-512.
///
/// # Safety
/// The processor has AVX-512 F, BW, DQ, VL and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) unsafe fn run_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}
