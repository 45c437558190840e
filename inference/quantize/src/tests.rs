// SPDX-License-Identifier: MIT
//! Round trips, hostile numbers and bounds that hold for any row.

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use inference_kernels::dequantize_row;
use proptest::prelude::*;

use super::*;

fn there_and_back(kind: GgmlType, row: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let mut bytes = vec![0; kind.row_bytes(row.len() as u64).unwrap() as usize];
    quantize_row(kind, row, &mut bytes).unwrap();
    let mut back = vec![f32::NAN; row.len()];
    dequantize_row(kind, &bytes, &mut back);
    (bytes, back)
}

/// Root mean square error divided by the row's root mean square.
fn relative_error(row: &[f32], back: &[f32]) -> f32 {
    let square: f32 = row.iter().map(|x| x * x).sum();
    (row.iter().zip(back).map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / square).sqrt()
}

/// Numbers that are spread about as those of trained weights are: sums of twelve uniform ones.
fn weights(len: usize, mut state: u64) -> Vec<f32> {
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..len).map(|_| ((0..12).map(|_| uniform()).sum::<f32>() - 6.0) * 0.03).collect()
}

/// The relative error that each type may have on such numbers.
const BOUNDS: [(GgmlType, f32); 15] = [
    (GgmlType::F32, 0.0),
    (GgmlType::F16, 3e-4),
    (GgmlType::BF16, 2.5e-3),
    (GgmlType::Q8_0, 0.006),
    (GgmlType::Q6K, 0.02),
    (GgmlType::Q5_1, 0.042),
    (GgmlType::Q5K, 0.04),
    (GgmlType::Q5_0, 0.046),
    (GgmlType::Q4K, 0.078),
    (GgmlType::Q4_1, 0.085),
    (GgmlType::IQ4NL, 0.08),
    (GgmlType::IQ4XS, 0.082),
    (GgmlType::Q4_0, 0.098),
    (GgmlType::Q3K, 0.17),
    (GgmlType::Q2K, 0.33),
];

#[test]
fn every_type_stays_within_its_bound() {
    let row = weights(8192, 7);
    for (kind, bound) in BOUNDS {
        let error = relative_error(&row, &there_and_back(kind, &row).1);
        std::println!("{:8} {error:.5}", kind.name());
        assert!(error <= bound, "{}: {error} > {bound}", kind.name());
    }
}

#[test]
fn zeros_stay_zeros_and_one_outlier_is_kept() {
    for (kind, _) in BOUNDS {
        assert!(there_and_back(kind, &[0.0; 256]).1.iter().all(|x| *x == 0.0), "{}", kind.name());
        for outlier in [-3.0, 3.0] {
            let mut row = [0.0; 256];
            row[77] = outlier;
            let back = there_and_back(kind, &row).1;
            assert!((back[77] - outlier).abs() < 0.1, "{}: {}", kind.name(), back[77]);
            // The IQ4 types have no zero: their smallest value is a 127th of the largest.
            assert!(back.iter().enumerate().all(|(i, x)| i == 77 || x.abs() < 0.03), "{}", kind.name());
        }
    }
}

#[test]
fn what_was_quantised_is_quantised_again_without_much_loss() {
    let row = weights(1024, 3);
    for (kind, bound) in BOUNDS {
        let once = there_and_back(kind, &row).1;
        let error = relative_error(&once, &there_and_back(kind, &once).1);
        assert!(error <= bound * 0.75, "{}: {error}", kind.name());
    }
}

#[test]
fn bad_input_is_named() {
    let mut out = [0; 144];
    let refused = |row: &[f32], out: &mut [u8]| quantize_row(GgmlType::Q4K, row, out).unwrap_err();
    assert_eq!(refused(&[0.0; 100], &mut out), QuantizeError::Indivisible { kind: GgmlType::Q4K, len: 100 });
    assert_eq!(refused(&[0.0; 512], &mut out), QuantizeError::WrongLength { expected: 288, found: 144 });
    for bad in [f32::NAN, f32::INFINITY, -1e9] {
        let mut row = [0.0; 256];
        row[9] = bad;
        assert!(matches!(refused(&row, &mut out), QuantizeError::BadElement { index: 9, .. }));
        assert_eq!(out, [0; 144]);
    }
    let mut out = [0; 4];
    assert!(quantize_row(GgmlType::BF16, &[1e30, -1e30], &mut out).is_ok());
    assert!(
        quantize_row(GgmlType::F16, &[1e30, 0.0], &mut out).unwrap_err().to_string().contains("element 0")
    );
}

proptest! {
    /// Whatever is accepted comes back finite, and no element farther off than the range of its block.
    #[test]
    fn anything_finite_comes_back_finite(
        row in prop::collection::vec(prop_oneof![-1f32..1.0, -65_504f32..65_504.0, -1e-30f32..1e-30, Just(0.0)], 256),
    ) {
        let range = row.iter().fold(0f32, |m, x| m.max(x.abs()));
        for (kind, _) in BOUNDS {
            let back = there_and_back(kind, &row).1;
            for (a, b) in row.iter().zip(&back) {
                prop_assert!(b.is_finite() && (a - b).abs() <= range * 1.001, "{}: {a} became {b}", kind.name());
            }
        }
    }
}
