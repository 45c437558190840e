// SPDX-License-Identifier: MIT
//! Values to ggml's types.
use anyhow::{Result, bail};
use inference_gguf::GgmlType;
use inference_kernels::f32_to_f16;

/// Encodes whole rows.
///
/// # Errors
/// A type other than F32, F16 and Q8_0.
pub fn encode(kind: GgmlType, values: &[f32]) -> Result<Vec<u8>> {
    Ok(match kind {
        GgmlType::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        GgmlType::F16 => values.iter().flat_map(|value| f32_to_f16(*value).to_le_bytes()).collect(),
        GgmlType::Q8_0 => values.chunks(32).flat_map(q8_0_block).collect(),
        other => bail!("conversion to {} is not built in: use f32, f16 or q8_0", other.name()),
    })
}

/// 32 values: a half-precision scale and 32 bytes (ggml's `block_q8_0`).
fn q8_0_block(values: &[f32]) -> [u8; 34] {
    let largest = values.iter().fold(0.0f32, |max, value| max.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let mut block = [0; 34];
    block[..2].copy_from_slice(&f32_to_f16(scale).to_le_bytes());
    for (byte, value) in block[2..].iter_mut().zip(values) {
        *byte = (value * inverse).round() as i8 as u8;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use inference_kernels::dequantize_row;

    #[test]
    fn what_is_encoded_reads_back() {
        let values: Vec<f32> = (0..64).map(|i| (i as f32 - 20.0) * 0.37).collect();
        for (kind, tolerance) in [(GgmlType::F32, 0.0), (GgmlType::F16, 0.01), (GgmlType::Q8_0, 0.07)] {
            let mut back = [0.0; 64];
            dequantize_row(kind, &encode(kind, &values).expect("supported"), &mut back);
            assert!(values.iter().zip(back).all(|(a, b)| (a - b).abs() <= tolerance), "{kind:?}");
        }
        assert!(encode(GgmlType::Q4K, &values).is_err());
    }
}
