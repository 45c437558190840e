// SPDX-License-Identifier: MIT
//! Quantisation of rows: the search of scales follows ggml's reference (`ggml-quants.c`), without an importance matrix.

use inference_gguf::GgmlType;
use inference_kernels::{f16_to_f32, f32_to_bf16, f32_to_f16};

/// Whether [`quantize_row`] knows the type.
pub fn is_supported(kind: GgmlType) -> bool {
    !matches!(kind, GgmlType::Q2K | GgmlType::Q3K | GgmlType::IQ4NL | GgmlType::IQ4XS)
}

/// Appends `row` in `kind`, a supported type whose blocks divide the row.
pub fn quantize_row(kind: GgmlType, row: &[f32], out: &mut Vec<u8>) {
    match kind {
        GgmlType::F32 => row.iter().for_each(|x| out.extend(x.to_le_bytes())),
        GgmlType::F16 => row.iter().for_each(|x| out.extend(f32_to_f16(*x).to_le_bytes())),
        GgmlType::BF16 => row.iter().for_each(|x| out.extend(f32_to_bf16(*x).to_le_bytes())),
        GgmlType::Q8_0 => row.as_chunks().0.iter().for_each(|x| q8_0(x, out)),
        GgmlType::Q4_0 => row.as_chunks().0.iter().for_each(|x| symmetric(x, 8.0, out)),
        GgmlType::Q5_0 => row.as_chunks().0.iter().for_each(|x| symmetric(x, 16.0, out)),
        GgmlType::Q4_1 => row.as_chunks().0.iter().for_each(|x| shifted(x, 15.0, out)),
        GgmlType::Q5_1 => row.as_chunks().0.iter().for_each(|x| shifted(x, 31.0, out)),
        GgmlType::Q4K => row.as_chunks().0.iter().for_each(|x| q45_k(x, 15, out)),
        GgmlType::Q5K => row.as_chunks().0.iter().for_each(|x| q45_k(x, 31, out)),
        GgmlType::Q6K => row.as_chunks().0.iter().for_each(|x| q6_k(x, out)),
        GgmlType::Q2K | GgmlType::Q3K | GgmlType::IQ4NL | GgmlType::IQ4XS => {}
    }
}

fn half(value: f32, out: &mut Vec<u8>) -> f32 {
    let bits = f32_to_f16(value);
    out.extend(bits.to_le_bytes());
    f16_to_f32(bits)
}

/// The element farthest from 0, with its sign.
fn farthest(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |m: f32, x| if x.abs() > m.abs() { *x } else { m })
}

fn inverse(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { 1.0 / x }
}

fn q8_0(x: &[f32; 32], out: &mut Vec<u8>) {
    let d = farthest(x).abs() / 127.0;
    half(d, out);
    out.extend(x.iter().map(|x| (x * inverse(d)).round() as i8 as u8));
}

/// Lower and upper nibbles, and, for five bits, the fifth ones first.
fn put_nibbles(q: &[u8; 32], five: bool, out: &mut Vec<u8>) {
    if five {
        let high = q.iter().enumerate().fold(0u32, |bits, (i, q)| bits | u32::from(q >> 4) << i);
        out.extend(high.to_le_bytes());
    }
    out.extend((0..16).map(|i| q[i] & 15 | q[i + 16] << 4));
}

/// Q4_0 and Q5_0: `d * (q - middle)`.
fn symmetric(x: &[f32; 32], middle: f32, out: &mut Vec<u8>) {
    let d = farthest(x) / -middle;
    half(d, out);
    let q = x.map(|x| (x * inverse(d) + middle + 0.5).clamp(0.0, 2.0 * middle - 1.0) as u8);
    put_nibbles(&q, middle > 8.0, out);
}

/// Q4_1 and Q5_1: `d * q + m`.
fn shifted(x: &[f32; 32], most: f32, out: &mut Vec<u8>) {
    let (min, max) = x.iter().fold((f32::MAX, f32::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
    let d = (max - min) / most;
    half(d, out);
    half(min, out);
    let q = x.map(|x| ((x - min) * inverse(d) + 0.5).clamp(0.0, most) as u8);
    put_nibbles(&q, most > 15.0, out);
}

/// Scale of 16 elements for integers from -32 to 31: the candidate with the least error, weighed by x².
fn scale_6(x: &[f32; 16]) -> f32 {
    let far = farthest(x);
    if far.abs() < 1e-15 {
        return 0.0;
    }
    let (mut best, mut scale) = (0.0, 0.0);
    for step in -9..=9 {
        let inverse = -(32.0 + 0.1 * step as f32) / far;
        let (mut product, mut square) = (0.0f32, 0.0f32);
        for x in x {
            let (q, w) = ((x * inverse).round().clamp(-32.0, 31.0), x * x);
            product += w * x * q;
            square += w * q * q;
        }
        if square > 0.0 && product * product > best * square {
            (best, scale) = (product * product / square, product / square);
        }
    }
    scale
}

fn q6_k(x: &[f32; 256], out: &mut Vec<u8>) {
    let parts = x.as_chunks::<16>().0;
    let scales: Vec<f32> = parts.iter().map(scale_6).collect();
    let inverse_d = inverse(farthest(&scales)) * -128.0;
    let d = f16_to_f32(f32_to_f16(inverse(inverse_d)));
    let scales: Vec<i8> = scales.iter().map(|s| (s * inverse_d).round().min(127.0) as i8).collect();
    let mut q = [0u8; 256];
    for (i, (q, x)) in q.iter_mut().zip(x).enumerate() {
        let step = inverse(d * f32::from(scales[i / 16]));
        *q = ((x * step).round().clamp(-32.0, 31.0) + 32.0) as u8;
    }
    for half in q.as_chunks::<128>().0 {
        out.extend((0..64).map(|i| half[i] & 15 | (half[i + 64] & 15) << 4));
    }
    for half in q.as_chunks::<128>().0 {
        out.extend((0..32).map(|i| (0..4).fold(0, |bits, j| bits | half[i + 32 * j] >> 4 << (2 * j))));
    }
    out.extend(scales.iter().map(|s| *s as u8));
    out.extend(f32_to_f16(inverse(inverse_d)).to_le_bytes());
}

/// Scale and minimum (not negative, to be subtracted) of 32 elements for integers from 0 to `most`.
fn scale_min(x: &[f32; 32], most: f32) -> (f32, f32) {
    let low = x.iter().fold(0.0f32, |m, x| m.min(*x));
    let high = x.iter().fold(low, |m, x| m.max(*x));
    if high <= low {
        return (0.0, -low);
    }
    let spread = (x.iter().map(|x| x * x).sum::<f32>() / 32.0).sqrt();
    let weight = |x: f32| spread + x.abs();
    let error = |scale: f32, min: f32| -> f32 {
        let term = |x: &f32| {
            let q = ((x - min) * inverse(scale)).round().clamp(0.0, most);
            weight(*x) * (scale * q + min - x).powi(2)
        };
        x.iter().map(term).sum()
    };
    let mut best = ((high - low) / most, low);
    let mut least = error(best.0, best.1);
    for step in 0..=20 {
        let inverse = (most - 1.0 + 0.1 * step as f32) / (high - low);
        let fitted = fit(x, |x| ((x - low) * inverse).round().clamp(0.0, most), weight);
        let found = error(fitted.0, fitted.1);
        if fitted.0 > 0.0 && found < least {
            (best, least) = (fitted, found);
        }
    }
    (best.0, -best.1)
}

/// The least-squares line through (integer, element): scale and minimum, the latter at most 0.
fn fit(x: &[f32; 32], quantise: impl Fn(f32) -> f32, weight: impl Fn(f32) -> f32) -> (f32, f32) {
    let [mut w1, mut wq, mut wqq, mut wx, mut wqx] = [0f32; 5];
    for x in x {
        let (q, w) = (quantise(*x), weight(*x));
        (w1, wq, wqq, wx, wqx) = (w1 + w, wq + w * q, wqq + w * q * q, wx + w * x, wqx + w * q * x);
    }
    let determinant = w1 * wqq - wq * wq;
    if determinant <= 0.0 {
        return (0.0, 0.0);
    }
    let (scale, min) = ((w1 * wqx - wx * wq) / determinant, (wqq * wx - wq * wqx) / determinant);
    if min > 0.0 { (wqx / wqq, 0.0) } else { (scale, min) }
}

/// Q4_K and Q5_K: `d * scale * q - dmin * min`.
fn q45_k(x: &[f32; 256], most: u8, out: &mut Vec<u8>) {
    let parts = x.as_chunks::<32>().0;
    let found: Vec<(f32, f32)> = parts.iter().map(|x| scale_min(x, f32::from(most))).collect();
    let largest = |pick: fn(&(f32, f32)) -> f32| found.iter().map(pick).fold(0.0, f32::max) / 63.0;
    let d = half(largest(|f| f.0), out);
    let dmin = half(largest(|f| f.1), out);
    let six = |value: f32, unit: f32| (value * inverse(unit)).round().clamp(0.0, 63.0) as u8;
    let scales: Vec<u8> = found.iter().map(|f| six(f.0, d)).collect();
    let mins: Vec<u8> = found.iter().map(|f| six(f.1, dmin)).collect();
    out.extend((0..4).map(|j| scales[j] & 63 | scales[j + 4] >> 4 << 6));
    out.extend((0..4).map(|j| mins[j] & 63 | mins[j + 4] >> 4 << 6));
    out.extend((4..8).map(|j| scales[j] & 15 | mins[j] << 4));
    let mut q = [[0u8; 32]; 8];
    for (j, (q, x)) in q.iter_mut().zip(parts).enumerate() {
        let (scale, min) = (d * f32::from(scales[j]), dmin * f32::from(mins[j]));
        *q = x.map(|x| ((x + min) * inverse(scale)).round().clamp(0.0, f32::from(most)) as u8);
    }
    if most > 15 {
        out.extend((0..32).map(|i| (0..8).fold(0, |bits, j| bits | q[j][i] >> 4 << j)));
    }
    for pair in q.as_chunks::<2>().0 {
        out.extend((0..32).map(|i| pair[0][i] & 15 | pair[1][i] << 4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative errors of a row of smooth numbers: what each type's bits allow.
    #[test]
    fn quantised_rows_come_back_within_what_their_bits_allow() {
        let row: Vec<f32> =
            (0..1024).map(|i| ((i * i) as f32 * 0.37).sin() * (1.0 + (i % 13) as f32)).collect();
        let length: f32 = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        let limits = [
            (GgmlType::F32, 0.0),
            (GgmlType::F16, 3e-4),
            (GgmlType::BF16, 3e-3),
            (GgmlType::Q8_0, 5e-3),
            (GgmlType::Q4_0, 0.09),
            (GgmlType::Q4_1, 0.08),
            (GgmlType::Q5_0, 0.045),
            (GgmlType::Q5_1, 0.04),
            (GgmlType::Q4K, 0.08),
            (GgmlType::Q5K, 0.04),
            (GgmlType::Q6K, 0.025),
        ];
        for (kind, limit) in limits {
            let (mut bytes, mut back) = (Vec::new(), vec![0.0; row.len()]);
            quantize_row(kind, &row, &mut bytes);
            assert_eq!(bytes.len() as u64, kind.row_bytes(1024).unwrap());
            inference_kernels::dequantize_row(kind, &bytes, &mut back);
            let error = row.iter().zip(&back).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt() / length;
            assert!(error <= limit, "{}: {error}", kind.name());
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        for kind in GgmlType::ALL.into_iter().filter(|kind| is_supported(*kind)) {
            let (mut bytes, mut back) = (Vec::new(), vec![1.0; 256]);
            quantize_row(kind, &[0.0; 256], &mut bytes);
            inference_kernels::dequantize_row(kind, &bytes, &mut back);
            assert_eq!(back, [0.0; 256], "{}", kind.name());
        }
    }
}
