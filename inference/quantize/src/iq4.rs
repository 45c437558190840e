// SPDX-License-Identifier: MIT
//! Four bits that select one of sixteen values, which lie denser around zero.

use inference_kernels::{BlockIQ4NL, BlockIQ4XS, Half, IQ4_VALUES};

use crate::blocks32::nibbles;
use crate::search::{farthest, inverse, nearest, through_zero};

/// Magnitude of the first value, which the farthest element gets.
const REACH: f32 = 127.0;

/// Index of the value nearest to `x`.
fn index(x: f32) -> u8 {
    let above = |pair: &[i8]| f32::from(i16::from(pair[0]) + i16::from(pair[1])) < 2.0 * x;
    IQ4_VALUES.windows(2).filter(|pair| above(pair)).count() as u8
}

/// The scale of 32 elements with the least error.
fn scale(x: &[f32; 32]) -> f32 {
    through_zero(x, REACH, 7, 1.0, |x| x * x, |x| f32::from(IQ4_VALUES[usize::from(index(x))]))
}

pub(crate) fn iq4_nl(x: &[f32; 32]) -> BlockIQ4NL {
    let d = Half::new(scale(x));
    let by = inverse(d.get());
    BlockIQ4NL { d, qs: nibbles(&x.map(|x| index(x * by))) }
}

pub(crate) fn iq4_xs(x: &[f32; 256]) -> BlockIQ4XS {
    let parts = x.as_chunks::<32>().0;
    let found: [f32; 8] = core::array::from_fn(|j| scale(&parts[j]));
    let d = Half::new(-farthest(&found) / 32.0);
    let by = inverse(d.get());
    let steps = found.map(|scale| nearest(scale * by).clamp(-32.0, 31.0));
    let (mut qs, mut scales_l, mut high) = ([0; 128], [0; 4], 0u16);
    for (j, (qs, x)) in qs.as_chunks_mut::<16>().0.iter_mut().zip(parts).enumerate() {
        let by = inverse(d.get() * steps[j]);
        *qs = nibbles(&x.map(|x| index(x * by)));
        let six = (steps[j] + 32.0) as u8;
        scales_l[j / 2] |= (six & 15) << (4 * (j % 2));
        high |= u16::from(six >> 4) << (2 * j);
    }
    BlockIQ4XS { d, scales_h: high.to_le_bytes(), scales_l, qs }
}
