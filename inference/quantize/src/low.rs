// SPDX-License-Identifier: MIT
//! Super-blocks of 256 elements with two and three bits.

use inference_kernels::{BlockQ2K, BlockQ3K, Half};

use crate::blocks_k::unsigned;
use crate::search::{Grid, affine, farthest, inverse, nearest, symmetric};

pub(crate) fn q2_k(x: &[f32; 256]) -> BlockQ2K {
    let mut parts = [[0.0; 16]; 16];
    parts.copy_from_slice(x.as_chunks().0);
    let found = parts.map(|x| affine(&x, 0.0, Grid { most: 3.0, from: -0.5, steps: 15 }));
    let (d, scale) = unsigned(&found.map(|f| f.0), 15.0);
    let (dmin, min) = unsigned(&found.map(|f| f.1), 15.0);
    let q: [u8; 256] = core::array::from_fn(|i| {
        let j = i / 16;
        let by = inverse(d.get() * f32::from(scale[j]));
        nearest((x[i] + dmin.get() * f32::from(min[j])) * by).clamp(0.0, 3.0) as u8
    });
    let scales = core::array::from_fn(|j| scale[j] | min[j] << 4);
    BlockQ2K { scales, qs: two_bits(&q), d, dmin }
}

/// Elements weigh their magnitude, not its square as in ggml: the root mean square error is 3 % smaller (`tests/reference`).
pub(crate) fn q3_k(x: &[f32; 256]) -> BlockQ3K {
    let mut found = [0.0; 16];
    found.iter_mut().zip(x.as_chunks::<16>().0).for_each(|(scale, x)| *scale = symmetric(x, 4.0, f32::abs));
    let d = Half::new(-farthest(&found) / 32.0);
    let by = inverse(d.get());
    let scale = found.map(|scale| nearest(scale * by).clamp(-32.0, 31.0));
    let q: [u8; 256] = core::array::from_fn(|i| {
        let by = inverse(d.get() * scale[i / 16]);
        (nearest(x[i] * by).clamp(-4.0, 3.0) + 4.0) as u8
    });
    let hmask = core::array::from_fn(|i| (0..8).fold(0, |bits, j| bits | (q[i + 32 * j] >> 2) << j));
    let scales = six_bits(&scale.map(|scale| (scale + 32.0) as u8));
    BlockQ3K { hmask, qs: two_bits(&q), scales, d }
}

/// The low two bits: byte `i` of each half holds elements `i`, `i + 32`, `i + 64` and `i + 96` of it.
fn two_bits(q: &[u8; 256]) -> [u8; 64] {
    core::array::from_fn(|i| {
        let at = i / 32 * 128 + i % 32;
        (0..4).fold(0, |bits, j| bits | (q[at + 32 * j] & 3) << (2 * j))
    })
}

/// Sixteen numbers of six bits: low nibbles in eight bytes, then the upper two bits in four.
fn six_bits(s: &[u8; 16]) -> [u8; 12] {
    core::array::from_fn(|i| match i {
        0..8 => s[i] & 15 | s[i + 8] << 4,
        _ => (0..4).fold(0, |bits, j| bits | s[i - 8 + 4 * j] >> 4 << (2 * j)),
    })
}
