// SPDX-License-Identifier: MIT
//! Blocks of 32 elements: the scale is the range divided by the number of steps, as in ggml's reference.

use inference_kernels::{BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0, Half};

use crate::search::{farthest, inverse, nearest};

pub(crate) fn q8_0(x: &[f32; 32]) -> BlockQ8_0 {
    let d = Half::new(farthest(x).abs() / 127.0);
    let by = inverse(d.get());
    BlockQ8_0 { d, qs: x.map(|x| nearest(x * by).clamp(-127.0, 127.0) as i8) }
}

pub(crate) fn q4_0(x: &[f32; 32]) -> BlockQ4_0 {
    let (d, q) = centred(x, 8.0);
    BlockQ4_0 { d, qs: nibbles(&q) }
}

pub(crate) fn q5_0(x: &[f32; 32]) -> BlockQ5_0 {
    let (d, q) = centred(x, 16.0);
    BlockQ5_0 { d, qh: fifth_bits(&q), qs: nibbles(&q) }
}

pub(crate) fn q4_1(x: &[f32; 32]) -> BlockQ4_1 {
    let (d, m, q) = shifted(x, 15.0);
    BlockQ4_1 { d, m, qs: nibbles(&q) }
}

pub(crate) fn q5_1(x: &[f32; 32]) -> BlockQ5_1 {
    let (d, m, q) = shifted(x, 31.0);
    BlockQ5_1 { d, m, qh: fifth_bits(&q), qs: nibbles(&q) }
}

/// `d * (q - middle)`; the farthest element becomes `q = 0`, so the scale has the opposite sign.
fn centred(x: &[f32; 32], middle: f32) -> (Half, [u8; 32]) {
    let d = Half::new(-farthest(x) / middle);
    let by = inverse(d.get());
    (d, x.map(|x| (nearest(x * by) + middle).clamp(0.0, 2.0 * middle - 1.0) as u8))
}

/// `d * q + m`.
fn shifted(x: &[f32; 32], most: f32) -> (Half, Half, [u8; 32]) {
    let (low, high) = x.iter().fold((f32::MAX, f32::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
    let (d, m) = (Half::new((high - low) / most), Half::new(low));
    let by = inverse(d.get());
    (d, m, x.map(|x| nearest((x - m.get()) * by).clamp(0.0, most) as u8))
}

/// Elements 0..16 in the low halves of bytes, 16..32 in the high ones.
pub(crate) fn nibbles(q: &[u8; 32]) -> [u8; 16] {
    core::array::from_fn(|i| q[i] & 15 | q[i + 16] << 4)
}

fn fifth_bits(q: &[u8; 32]) -> [u8; 4] {
    let bits = q.iter().enumerate().fold(0u32, |bits, (i, q)| bits | u32::from(q >> 4 & 1) << i);
    bits.to_le_bytes()
}
