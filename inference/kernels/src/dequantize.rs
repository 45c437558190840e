// SPDX-License-Identifier: MIT
//! Rows of any type as `f32`: for embeddings, norms and conversion.

use zerocopy::FromBytes;

use crate::GgmlType;
use crate::blocks::*;
use crate::half::{bf16_to_f32, f16_to_f32};
use crate::unpack::Block32;
use crate::unpack_k::Block256;

/// Writes the elements of one row. `bytes` holds `out.len()` elements of `kind`; what is missing stays as it was.
pub fn dequantize_row(kind: GgmlType, bytes: &[u8], out: &mut [f32]) {
    match kind {
        GgmlType::F32 => each(bytes, out, f32::from_le_bytes),
        GgmlType::F16 => each(bytes, out, |b| f16_to_f32(u16::from_le_bytes(b))),
        GgmlType::BF16 => each(bytes, out, |b| bf16_to_f32(u16::from_le_bytes(b))),
        GgmlType::Q8_0 => blocks32::<BlockQ8_0>(bytes, out),
        GgmlType::Q4_0 => blocks32::<BlockQ4_0>(bytes, out),
        GgmlType::Q4_1 => blocks32::<BlockQ4_1>(bytes, out),
        GgmlType::Q5_0 => blocks32::<BlockQ5_0>(bytes, out),
        GgmlType::Q5_1 => blocks32::<BlockQ5_1>(bytes, out),
        GgmlType::IQ4NL => blocks32::<BlockIQ4NL>(bytes, out),
        GgmlType::Q2K => blocks256::<BlockQ2K>(bytes, out),
        GgmlType::Q3K => blocks256::<BlockQ3K>(bytes, out),
        GgmlType::Q4K => blocks256::<BlockQ4K>(bytes, out),
        GgmlType::Q5K => blocks256::<BlockQ5K>(bytes, out),
        GgmlType::Q6K => blocks256::<BlockQ6K>(bytes, out),
        GgmlType::IQ4XS => blocks256::<BlockIQ4XS>(bytes, out),
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut [f32], convert: impl Fn([u8; N]) -> f32) {
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *out = convert(*bytes);
    }
}

/// The blocks in `bytes`; a remainder is left out.
#[inline(always)]
pub(crate) fn blocks_of<B: FromBytes + zerocopy::Immutable + zerocopy::KnownLayout + zerocopy::Unaligned>(
    bytes: &[u8],
) -> &[B] {
    let whole = bytes.len() / size_of::<B>() * size_of::<B>();
    <[B]>::ref_from_bytes(&bytes[..whole]).unwrap_or(&[])
}

fn blocks32<B: Block32>(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks_of::<B>(bytes).iter().zip(out.as_chunks_mut::<32>().0) {
        let mut q = [0; 32];
        block.unpack(&mut q);
        let (d, m) = (block.d(), block.m());
        for (out, q) in out.iter_mut().zip(q) {
            *out = f32::from(q) * d + m;
        }
    }
}

fn blocks256<B: Block256>(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks_of::<B>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let mut q = [0; 256];
        block.unpack(&mut q);
        let (d, dmin, sub) = (block.d(), block.dmin(), block.scales());
        for (i, (out, q)) in out.iter_mut().zip(q).enumerate() {
            let (scale, min) = (d * f32::from(sub.scale[i / 16]), dmin * f32::from(sub.min[i / 16]));
            *out = scale * f32::from(q) - min;
        }
    }
}
