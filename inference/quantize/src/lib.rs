// SPDX-License-Identifier: MIT
//! Rows of `f32` as blocks of any type that the engine reads: for making model files and, later, for training.
//!
//! The one design rule: **a block is packed from the numbers that a reader will multiply with**. Scales are searched in
//! `f32`, rounded to what the block can hold, and only then are the elements divided by the *rounded* scales, so no error
//! is counted that the file does not have, and none is hidden that it has.
//!
//! The searches minimise the same weighted errors as ggml's reference quantisers without an importance matrix
//! (`ggml-quants.c`), so files are as good as llama.cpp's, not equal to them byte for byte. Limits: no importance matrix.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod blocks32;
mod blocks_k;
mod error;
mod iq4;
mod low;
mod mixture;
mod search;

pub use error::QuantizeError;
pub use inference_gguf::GgmlType;
pub use mixture::{Mixture, UnknownMixture};

use inference_kernels::{f32_to_bf16, f32_to_f16};
use zerocopy::{Immutable, IntoBytes};

/// The largest magnitude that is accepted for types whose scale is a half.
pub const MOST: f32 = 65_504.0;

/// Writes `row` as `kind` into `out`, which has exactly `kind.row_bytes(row.len())` bytes. Any number of whole rows may be
/// given at once where the blocks divide one.
///
/// # Errors
/// [`QuantizeError::Indivisible`], [`QuantizeError::WrongLength`]; [`QuantizeError::BadElement`] where an element is not
/// finite, or larger than [`MOST`] and `kind` is neither F32 nor BF16. `out` is unchanged then.
pub fn quantize_row(kind: GgmlType, row: &[f32], out: &mut [u8]) -> Result<(), QuantizeError> {
    check(kind, row, out.len())?;
    match kind {
        GgmlType::F32 => each(row, out, f32::to_le_bytes),
        GgmlType::F16 => each(row, out, |x| f32_to_f16(x).to_le_bytes()),
        GgmlType::BF16 => each(row, out, |x| f32_to_bf16(x).to_le_bytes()),
        GgmlType::Q8_0 => blocks(row, out, blocks32::q8_0),
        GgmlType::Q4_0 => blocks(row, out, blocks32::q4_0),
        GgmlType::Q4_1 => blocks(row, out, blocks32::q4_1),
        GgmlType::Q5_0 => blocks(row, out, blocks32::q5_0),
        GgmlType::Q5_1 => blocks(row, out, blocks32::q5_1),
        GgmlType::IQ4NL => blocks(row, out, iq4::iq4_nl),
        GgmlType::Q2K => blocks(row, out, low::q2_k),
        GgmlType::Q3K => blocks(row, out, low::q3_k),
        GgmlType::Q4K => blocks(row, out, blocks_k::q4_k),
        GgmlType::Q5K => blocks(row, out, blocks_k::q5_k),
        GgmlType::Q6K => blocks(row, out, blocks_k::q6_k),
        GgmlType::IQ4XS => blocks(row, out, iq4::iq4_xs),
    }
    Ok(())
}

fn check(kind: GgmlType, row: &[f32], room: usize) -> Result<(), QuantizeError> {
    let len = row.len();
    let bytes = kind.row_bytes(len as u64).ok_or(QuantizeError::Indivisible { kind, len })?;
    if bytes != room as u64 {
        return Err(QuantizeError::WrongLength { expected: bytes, found: room });
    }
    let most = if matches!(kind, GgmlType::F32 | GgmlType::BF16) { f32::MAX } else { MOST };
    match row.iter().position(|x| !x.is_finite() || x.abs() > most) {
        Some(index) => Err(QuantizeError::BadElement { kind, index, value: row[index] }),
        None => Ok(()),
    }
}

fn each<const N: usize>(row: &[f32], out: &mut [u8], convert: impl Fn(f32) -> [u8; N]) {
    row.iter().zip(out.as_chunks_mut().0).for_each(|(x, out)| *out = convert(*x));
}

fn blocks<const N: usize, B: IntoBytes + Immutable>(
    row: &[f32],
    out: &mut [u8],
    pack: impl Fn(&[f32; N]) -> B,
) {
    for (x, out) in row.as_chunks::<N>().0.iter().zip(out.chunks_exact_mut(size_of::<B>())) {
        out.copy_from_slice(pack(x).as_bytes());
    }
}

#[cfg(test)]
mod tests;
