// SPDX-License-Identifier: MIT
//! Super-blocks of 256 elements with four, five and six bits: scales of sub-blocks, which are themselves quantised.

use inference_kernels::{BlockQ4K, BlockQ5K, BlockQ6K, Half};

use crate::search::{Grid, affine, farthest, inverse, nearest, symmetric};

pub(crate) fn q4_k(x: &[f32; 256]) -> BlockQ4K {
    let (scales, q) = eight(x, Grid { most: 15.0, from: -1.0, steps: 20 });
    BlockQ4K { d: scales.d, dmin: scales.dmin, scales: scales.packed(), qs: low_nibbles(&q) }
}

pub(crate) fn q5_k(x: &[f32; 256]) -> BlockQ5K {
    let (scales, q) = eight(x, Grid { most: 31.0, from: -0.5, steps: 15 });
    let qh = core::array::from_fn(|i| (0..8).fold(0, |bits, j| bits | (q[j][i] >> 4 & 1) << j));
    BlockQ5K { d: scales.d, dmin: scales.dmin, scales: scales.packed(), qh, qs: low_nibbles(&q) }
}

/// Scales and minima of eight sub-blocks of 32 elements, six bits each.
struct Eight {
    d: Half,
    dmin: Half,
    scale: [u8; 8],
    min: [u8; 8],
}

impl Eight {
    /// The inverse of `get_scale_min_k4`: the upper two bits of the last four are spread over the first eight bytes.
    fn packed(&self) -> [u8; 12] {
        core::array::from_fn(|i| match i {
            0..4 => self.scale[i] & 63 | self.scale[i + 4] >> 4 << 6,
            4..8 => self.min[i - 4] & 63 | self.min[i] >> 4 << 6,
            _ => self.scale[i - 4] & 15 | self.min[i - 4] << 4,
        })
    }
}

fn eight(x: &[f32; 256], grid: Grid) -> (Eight, [[u8; 32]; 8]) {
    let mut parts = [[0.0; 32]; 8];
    parts.copy_from_slice(x.as_chunks().0);
    let found = parts.map(|x| affine(&x, root_mean_square(&x), grid));
    let (d, scale) = unsigned(&found.map(|f| f.0), 63.0);
    let (dmin, min) = unsigned(&found.map(|f| f.1), 63.0);
    let mut q = [[0; 32]; 8];
    for (j, (q, x)) in q.iter_mut().zip(&parts).enumerate() {
        let (step, low) = (d.get() * f32::from(scale[j]), dmin.get() * f32::from(min[j]));
        *q = x.map(|x| nearest((x + low) * inverse(step)).clamp(0.0, grid.most) as u8);
    }
    (Eight { d, dmin, scale, min }, q)
}

/// Values that are not negative as a unit and integers up to `most`.
pub(crate) fn unsigned<const N: usize>(values: &[f32; N], most: f32) -> (Half, [u8; N]) {
    let unit = Half::new(farthest(values) / most);
    let by = inverse(unit.get());
    (unit, values.map(|value| nearest(value * by).clamp(0.0, most) as u8))
}

fn root_mean_square(x: &[f32; 32]) -> f32 {
    libm::sqrtf(x.iter().map(|x| x * x).sum::<f32>() / 32.0)
}

/// Sub-blocks in pairs: low halves of 32 bytes, then high halves.
fn low_nibbles(q: &[[u8; 32]; 8]) -> [u8; 128] {
    core::array::from_fn(|i| q[i / 32 * 2][i % 32] & 15 | q[i / 32 * 2 + 1][i % 32] << 4)
}

pub(crate) fn q6_k(x: &[f32; 256]) -> BlockQ6K {
    let mut found = [0.0; 16];
    found.iter_mut().zip(x.as_chunks::<16>().0).for_each(|(scale, x)| *scale = symmetric(x, 32.0, |x| x * x));
    let d = Half::new(-farthest(&found) / 128.0);
    let by = inverse(d.get());
    let scales = found.map(|scale| nearest(scale * by).clamp(-128.0, 127.0) as i8);
    let q: [u8; 256] = core::array::from_fn(|i| {
        let by = inverse(d.get() * f32::from(scales[i / 16]));
        (nearest(x[i] * by).clamp(-32.0, 31.0) + 32.0) as u8
    });
    let ql = core::array::from_fn(|i| {
        let at = i / 64 * 128 + i % 64;
        q[at] & 15 | q[at + 64] << 4
    });
    let qh = core::array::from_fn(|i| {
        let at = i / 32 * 128 + i % 32;
        (0..4).fold(0, |bits, j| bits | q[at + 32 * j] >> 4 << (2 * j))
    });
    BlockQ6K { ql, qh, scales, d }
}
