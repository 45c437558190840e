// SPDX-License-Identifier: MIT
//! Conversions of 16-bit floating-point numbers, written so that compilers turn loops of them into vector code.

/// IEEE half to single, exact (a NaN stays a NaN).
#[inline(always)]
#[must_use]
pub fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let rest = u32::from(half & 0x7fff);
    // Multiplying by 2^112 moves the exponent's bias and normalises subnormals, exactly.
    let finite = f32::from_bits(rest << 13) * f32::from_bits(0x7780_0000);
    let special = 0x7f80_0000 | (rest << 13);
    let bits = if rest >= 0x7c00 { special } else { finite.to_bits() };
    f32::from_bits(sign | bits)
}

/// Single to IEEE half, to nearest, ties to even; what is too large becomes infinite.
#[inline(always)]
#[must_use]
pub fn f32_to_f16(value: f32) -> u16 {
    let sign = ((value.to_bits() >> 16) & 0x8000) as u16;
    let bits = value.to_bits() & 0x7fff_ffff;
    let magnitude = if bits > 0x7f80_0000 {
        0x7e00
    } else if bits >= 0x4780_0000 {
        0x7c00
    } else if bits < 0x3880_0000 {
        // Adding 0.5 aligns a subnormal's last place with the sum's: the addition rounds.
        (f32::from_bits(bits) + 0.5).to_bits().wrapping_sub(0x3f00_0000) as u16
    } else {
        let odd = (bits >> 13) & 1;
        (bits.wrapping_sub(0x3800_0000).wrapping_add(0xfff + odd) >> 13) as u16
    };
    sign | magnitude
}

/// Upper half of a single to single, exact.
#[inline(always)]
#[must_use]
pub fn bf16_to_f32(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// Single to its upper half, to nearest, ties to even.
#[inline(always)]
#[must_use]
pub fn f32_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 64;
    }
    (bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_converts_as_the_reference_does() {
        for bits in 0..=u16::MAX {
            let reference = half::f16::from_bits(bits).to_f32();
            let ours = f16_to_f32(bits);
            assert!(
                ours.to_bits() == reference.to_bits() || ours.is_nan() && reference.is_nan(),
                "{bits:#x}"
            );
            let back = f32_to_f16(ours);
            assert!(back == bits || ours.is_nan() && f16_to_f32(back).is_nan(), "{bits:#x}");
        }
    }

    #[test]
    fn singles_round_as_the_reference_does() {
        for i in 0..2_000_000u32 {
            let value = f32::from_bits(i.wrapping_mul(2_654_435_761));
            if !value.is_nan() {
                assert_eq!(f32_to_f16(value), half::f16::from_f32(value).to_bits(), "{value}");
                assert_eq!(f32_to_bf16(value), half::bf16::from_f32(value).to_bits(), "{value}");
            }
        }
    }
}
