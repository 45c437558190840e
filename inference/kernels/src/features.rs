// SPDX-License-Identifier: MIT
//! The feature word: what the processor can do, as a number that an image builder can write and a host can detect.

use bitflags::bitflags;

bitflags! {
    /// Instruction sets, one bit each; the numbers are part of the `platform` region's layout.
    ///
    /// On aarch64 a protection domain cannot read the identification registers, so it is told. A word that claims too
    /// much ends in an illegal-instruction fault of that domain, which its parent reports. On x86-64 it asks the
    /// processor, which also knows what the kernel switches.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CpuFeatures: u64 {
        /// aarch64: `sdot`, `udot` (ARMv8.2).
        const DOTPROD = 1;
        /// aarch64: `smmla`, `ummla` (ARMv8.6).
        const I8MM = 1 << 1;
        /// x86-64: AVX2, FMA and F16C.
        const AVX2 = 1 << 8;
        /// x86-64: AVX-512 F, BW, DQ and VL, with VNNI.
        const AVX512_VNNI = 1 << 9;
        /// x86-64: AVX-512 products of BF16.
        const AVX512_BF16 = 1 << 10;
    }
}

impl CpuFeatures {
    /// The features of the word that this version knows; others are dropped.
    #[must_use]
    pub fn from_word(word: u64) -> Self {
        Self::from_bits_truncate(word)
    }

    /// What a protection domain may use: what the `word` on the platform page says, and what the processor itself says.
    #[must_use]
    pub fn available(word: u64) -> Self {
        Self::from_word(word) | crate::arch::detect()
    }

    /// Asks the processor that this runs on.
    #[cfg(any(test, feature = "std"))]
    #[must_use]
    pub fn detect() -> Self {
        crate::arch::detect()
    }
}
