// SPDX-License-Identifier: MIT
//! What the processor says of itself, where `std` may ask it.
#![cfg(any(test, feature = "std"))]

use crate::CpuFeatures;

/// The features of the processor that this runs on.
pub(crate) fn detect() -> CpuFeatures {
    #[allow(unused_mut)]
    let mut found = CpuFeatures::empty();
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        found.set(CpuFeatures::AVX2, has!("avx2") && has!("fma") && has!("f16c"));
        let wide = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        found.set(CpuFeatures::AVX512_VNNI, wide && has!("avx512vnni") && found.contains(CpuFeatures::AVX2));
        found.set(CpuFeatures::AVX512_BF16, wide && has!("avx512bf16"));
    }
    #[cfg(target_arch = "aarch64")]
    {
        found.set(CpuFeatures::DOTPROD, std::arch::is_aarch64_feature_detected!("dotprod"));
        found.set(CpuFeatures::I8MM, std::arch::is_aarch64_feature_detected!("i8mm"));
    }
    found
}
