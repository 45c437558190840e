// SPDX-License-Identifier: MIT
//! Block layouts of quantised tensors, byte for byte as in ggml (`ggml-common.h`). `d` is a scale, `dmin` and `m`
//! scale what is subtracted or added; halves are little-endian bytes, so every block may stand at any address.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::half::f16_to_f32;

/// An IEEE half as it stands in a file.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Half(pub [u8; 2]);

impl Half {
    #[inline(always)]
    #[must_use]
    pub fn get(self) -> f32 {
        f16_to_f32(u16::from_le_bytes(self.0))
    }

    /// The half nearest to `value`.
    #[must_use]
    pub fn new(value: f32) -> Self {
        Self(crate::half::f32_to_f16(value).to_le_bytes())
    }
}

macro_rules! blocks {
    ($($(#[$doc:meta])* $name:ident = $size:literal { $($field:ident : $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $(pub $field: $kind),* }
        const _: () = assert!(size_of::<$name>() == $size);
    )*};
}

blocks! {
    /// 32 values of 4 bits, minus 8: low nibbles are elements 0..16, high nibbles 16..32.
    BlockQ4_0 = 18 { d: Half, qs: [u8; 16] }
    /// As Q4_0, unsigned, plus `m`.
    BlockQ4_1 = 20 { d: Half, m: Half, qs: [u8; 16] }
    /// 32 values of 5 bits, minus 16; bit `i` of `qh` is the fifth of element `i`.
    BlockQ5_0 = 22 { d: Half, qh: [u8; 4], qs: [u8; 16] }
    /// As Q5_0, unsigned, plus `m`.
    BlockQ5_1 = 24 { d: Half, m: Half, qh: [u8; 4], qs: [u8; 16] }
    /// 32 values of 8 bits.
    BlockQ8_0 = 34 { d: Half, qs: [i8; 32] }
    /// 32 indices into [`IQ4_VALUES`].
    BlockIQ4NL = 18 { d: Half, qs: [u8; 16] }
    /// 256 values of 2 bits; 16 sub-blocks with scale (low nibble) and minimum (high).
    BlockQ2K = 84 { scales: [u8; 16], qs: [u8; 64], d: Half, dmin: Half }
    /// 256 values of 3 bits, minus 4; 16 sub-blocks with 6-bit scales, minus 32.
    BlockQ3K = 110 { hmask: [u8; 32], qs: [u8; 64], scales: [u8; 12], d: Half }
    /// 256 values of 4 bits; 8 sub-blocks with 6-bit scales and minima.
    BlockQ4K = 144 { d: Half, dmin: Half, scales: [u8; 12], qs: [u8; 128] }
    /// 256 values of 5 bits; 8 sub-blocks with 6-bit scales and minima.
    BlockQ5K = 176 { d: Half, dmin: Half, scales: [u8; 12], qh: [u8; 32], qs: [u8; 128] }
    /// 256 values of 6 bits, minus 32; 16 sub-blocks with 8-bit scales.
    BlockQ6K = 210 { ql: [u8; 128], qh: [u8; 64], scales: [i8; 16], d: Half }
    /// 256 indices into [`IQ4_VALUES`]; 8 sub-blocks with 6-bit scales, minus 32.
    BlockIQ4XS = 136 { d: Half, scales_h: [u8; 2], scales_l: [u8; 4], qs: [u8; 128] }
}

/// The sixteen values of the IQ4 types (`kvalues_iq4nl`).
pub const IQ4_VALUES: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
