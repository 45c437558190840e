// SPDX-License-Identifier: MIT
//! What the processor says of itself, where a program may ask it.

use crate::CpuFeatures;

/// The features of the processor that this runs on, as far as it tells programs without privileges: on x86-64 all of
/// them, on aarch64 none but with the help of `std`.
pub(crate) fn detect() -> CpuFeatures {
    #[cfg(target_arch = "x86_64")]
    return super::x86_64::processor::features();
    #[cfg(all(target_arch = "aarch64", any(test, feature = "std")))]
    {
        let mut found = CpuFeatures::empty();
        found.set(CpuFeatures::DOTPROD, std::arch::is_aarch64_feature_detected!("dotprod"));
        found.set(CpuFeatures::I8MM, std::arch::is_aarch64_feature_detected!("i8mm"));
        return found;
    }
    #[allow(unreachable_code)]
    CpuFeatures::empty()
}
