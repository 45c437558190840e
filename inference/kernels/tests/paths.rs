// SPDX-License-Identifier: MIT
//! Every instruction set computes the same bits as the scalar definition, for any batch size.

use inference_kernels::{
    Activation, ActivationKind, CacheKind, CpuFeatures, GgmlType, Kernels, Matrix, Output, Quantized,
    RopeLayout, Rows, RowsMut,
};
use proptest::prelude::*;

/// Every path that this machine can run.
fn paths() -> Vec<Kernels> {
    let found = CpuFeatures::detect();
    let mut features = vec![CpuFeatures::empty(), found];
    features.extend(
        CpuFeatures::all().iter().map(|one| found & (one | CpuFeatures::AVX2 | CpuFeatures::DOTPROD)),
    );
    let mut paths: Vec<Kernels> = features.into_iter().map(Kernels::select).collect();
    paths.dedup();
    paths
}

/// A generator of numbers (splitmix64), so that a failing case is its seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn floats(&mut self, n: usize, scale: f32) -> Vec<f32> {
        (0..n).map(|_| self.unit() * scale).collect()
    }
}

/// Random blocks with sane scales: every bit pattern of the integers, halves of moderate size.
fn weights(kind: GgmlType, rows: usize, cols: usize, numbers: &mut Numbers) -> Vec<u8> {
    let size = kind.row_bytes(cols as u64).unwrap() as usize * rows;
    let mut bytes: Vec<u8> = (0..size).map(|_| numbers.next() as u8).collect();
    let halves: &[usize] = match kind {
        GgmlType::F32 | GgmlType::F16 | GgmlType::BF16 => &[],
        GgmlType::Q4_1 | GgmlType::Q5_1 | GgmlType::Q4K | GgmlType::Q5K => &[0, 2],
        GgmlType::Q2K => &[80, 82],
        GgmlType::Q3K => &[108],
        GgmlType::Q6K => &[208],
        _ => &[0],
    };
    for block in bytes.chunks_exact_mut(kind.block_bytes()) {
        for at in halves {
            let half = inference_kernels::f32_to_f16(numbers.unit() * 0.1);
            block[*at..at + 2].copy_from_slice(&half.to_le_bytes());
        }
        let value = numbers.unit();
        match kind {
            GgmlType::F32 => block.copy_from_slice(&value.to_le_bytes()),
            GgmlType::F16 => block.copy_from_slice(&inference_kernels::f32_to_f16(value).to_le_bytes()),
            GgmlType::BF16 => block.copy_from_slice(&inference_kernels::f32_to_bf16(value).to_le_bytes()),
            _ => {}
        }
    }
    bytes
}

struct Prepared {
    q: Vec<i8>,
    d: Vec<f32>,
    sums: Vec<i16>,
}

fn prepare(kernels: Kernels, kind: ActivationKind, x: &[f32], tokens: usize) -> Prepared {
    let width = x.len() / tokens;
    let (mut q, mut d) = (vec![0; x.len()], vec![0.0; x.len() / 16]);
    let mut sums = vec![0; x.len() / 16];
    if kind != ActivationKind::F32 {
        let mut out = Quantized { q: &mut q, d: &mut d, sums: &mut sums, width };
        kernels.quantize(kind, x, tokens, &mut out);
    }
    Prepared { q, d, sums }
}

fn product(kernels: Kernels, matrix: &Matrix<'_>, x: &[f32], tokens: usize) -> Vec<f32> {
    let kind = ActivationKind::of(matrix.kind());
    let p = prepare(kernels, kind, x, tokens);
    let width = matrix.cols();
    let view = Activation { kind, width, tokens, values: x, q: &p.q, d: &p.d, sums: &p.sums };
    let stride = matrix.rows() + 3;
    let mut values = vec![f32::NAN; stride * tokens];
    kernels.matmul(matrix, &view, &mut Output { values: &mut values, stride });
    (0..tokens).flat_map(|t| values[t * stride..][..matrix.rows()].to_vec()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn check_product(kind: GgmlType, rows: usize, blocks: usize, tokens: usize, seed: u64) {
    let mut numbers = Numbers(seed);
    let cols = blocks * kind.block_len().max(8);
    let bytes = weights(kind, rows, cols, &mut numbers);
    let matrix = Matrix::new(kind, rows, cols, &bytes).unwrap();
    let x = numbers.floats(cols * tokens, 3.0);
    let reference = product(Kernels::generic(), &matrix, &x, tokens);
    assert!(reference.iter().all(|v| v.is_finite()));
    for kernels in paths() {
        let all = product(kernels, &matrix, &x, tokens);
        assert_eq!(bits(&all), bits(&reference), "{} {}", kernels.name(), kind.name());
        for (t, x) in x.chunks_exact(cols).enumerate() {
            let alone = product(kernels, &matrix, x, 1);
            assert_eq!(bits(&alone), bits(&reference[t * rows..][..rows]), "{} alone", kernels.name());
        }
    }
}

/// The quantised product is close to the product of the dequantised row with the activations.
#[test]
fn products_are_close_to_those_of_dequantised_rows() {
    for kind in GgmlType::ALL {
        let (mut numbers, cols) = (Numbers(7), 1024);
        let bytes = weights(kind, 3, cols, &mut numbers);
        let matrix = Matrix::new(kind, 3, cols, &bytes).unwrap();
        let x = numbers.floats(cols, 1.0);
        let ours = product(Kernels::generic(), &matrix, &x, 1);
        for (r, ours) in ours.iter().enumerate() {
            let mut row = vec![0.0; cols];
            matrix.dequantize(r, &mut row);
            let exact: f64 = row.iter().zip(&x).map(|(a, b)| f64::from(a * b)).sum();
            let size: f64 = row.iter().map(|a| f64::from(a * a)).sum::<f64>().sqrt();
            // Rounding activations to 8 bits: an error of 1/254 per element, times the row's length.
            assert!((exact - f64::from(*ours)).abs() < size * 0.008, "{}: {ours} for {exact}", kind.name());
        }
    }
}

#[test]
fn every_type_and_shape_at_the_edges() {
    for kind in GgmlType::ALL {
        for rows in [1, 3, 4, 5, 15, 16, 17, 33] {
            for tokens in [1, 2, 9] {
                check_product(kind, rows, 3, tokens, (rows * 31 + tokens) as u64);
            }
        }
    }
}

/// Rows longer than a tile are taken in parts.
#[test]
fn long_rows() {
    for (kind, blocks) in
        [(GgmlType::Q8_0, 129), (GgmlType::Q5_1, 601), (GgmlType::Q4K, 65), (GgmlType::Q6K, 131)]
    {
        for rows in [1, 16, 21] {
            check_product(kind, rows, blocks, 2, 5);
        }
    }
}

/// What several tokens get together is what each gets alone.
fn check_blocks(k: Kernels, kind: CacheKind, cache: &[u8], n: usize, width: usize, numbers: &mut Numbers) {
    let (count, stride, scores_stride) = (1 + n % 9, width + 5, n + 3);
    let queries = numbers.floats(count * stride, 1.0);
    let rows = Rows { values: &queries, width, stride, count };
    let mut scores = vec![0.5; count * scores_stride];
    let mut out = RowsMut { values: &mut scores, width: n, stride: scores_stride };
    k.scores_block(kind, rows, cache, 0.3, &mut out);
    let mut mixed = vec![0.25; count * stride];
    let weights = Rows { values: &scores, width: n, stride: scores_stride, count };
    k.mix_block(kind, weights, cache, &mut RowsMut { values: &mut mixed, width, stride });
    let generic = Kernels::generic();
    for t in 0..count {
        let (mut alone, mut sum) = (vec![0.0; n], vec![0.25; width]);
        generic.scores(kind, &queries[t * stride..][..width], cache, 0.3, &mut alone);
        assert_eq!(bits(&scores[t * scores_stride..][..n]), bits(&alone), "{}", k.name());
        generic.mix(kind, &alone, cache, &mut sum);
        assert_eq!(bits(&mixed[t * stride..][..width]), bits(&sum), "{}", k.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn products_are_the_same_bits_on_every_path(
        kind in 0usize..15, rows in 1usize..70, blocks in 1usize..24, tokens in 1usize..20, seed in any::<u64>()
    ) {
        check_product(GgmlType::ALL[kind], rows, blocks, tokens, seed);
    }

    #[test]
    fn functions_are_the_same_bits_on_every_path(n in 1usize..300, seed in any::<u64>()) {
        let mut numbers = Numbers(seed);
        let (x, y) = (numbers.floats(n, 8.0), numbers.floats(n, 2.0));
        let weight: Vec<[u8; 4]> = y.iter().map(|v| v.to_le_bytes()).collect();
        let angles: Vec<[f32; 2]> = y.iter().map(|a| [a.cos(), a.sin()]).collect();
        let run = |k: Kernels| {
            let mut out = vec![k.dot(&x, &y)];
            let mut part = |f: &dyn Fn(&mut Vec<f32>)| { let mut v = x.clone(); f(&mut v); out.extend(v); };
            part(&|v| k.rms_norm(&x, &weight, 1e-5, v));
            part(&|v| k.layer_norm(&x, &weight, &weight, 1e-5, v));
            part(&|v| k.softmax(v));
            part(&|v| k.soft_cap(v, 30.0));
            part(&|v| k.silu_gate(v, &y));
            part(&|v| k.gelu_gate(v, &y));
            part(&|v| k.gelu(v));
            part(&|v| k.add_scaled(v, &y, 0.3));
            part(&|v| k.rotate(v, &angles[..n / 2], RopeLayout::Adjacent));
            part(&|v| k.rotate(v, &angles[..n / 2], RopeLayout::Halves));
            bits(&out)
        };
        let reference = run(Kernels::generic());
        for kernels in paths() {
            prop_assert_eq!(run(kernels), reference.clone(), "{}", kernels.name());
        }
    }

    #[test]
    fn attention_is_the_same_bits_on_every_path(heads in 1usize..9, n in 1usize..40, seed in any::<u64>()) {
        let width = if seed % 4 == 0 { heads * 80 } else { heads * 32 };
        let mut numbers = Numbers(seed);
        let (query, rows, weights) = (numbers.floats(width, 1.0), numbers.floats(width * n, 1.0), numbers.floats(n, 1.0));
        for kind in [CacheKind::F32, CacheKind::F16, CacheKind::Q8_0] {
            let Some(size) = kind.row_bytes(width) else { continue };
            let mut cache = vec![0; size * n];
            for (row, cache) in rows.chunks_exact(width).zip(cache.chunks_exact_mut(size)) {
                Kernels::generic().store(kind, row, cache);
            }
            let mut run = |k: Kernels| {
                let (mut scores, mut out) = (vec![0.0; n], vec![0.0; width]);
                k.scores(kind, &query, &cache, 0.125, &mut scores);
                k.mix(kind, &weights, &cache, &mut out);
                let mut stored = vec![0; size];
                k.store(kind, &query, &mut stored);
                check_blocks(k, kind, &cache, n, width, &mut numbers);
                (bits(&scores), bits(&out), stored)
            };
            let reference = run(Kernels::generic());
            for kernels in paths() {
                prop_assert_eq!(run(kernels), reference.clone(), "{}", kernels.name());
            }
        }
    }
}
