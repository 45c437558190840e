//! Products of `f32` matrices: every instruction set and every form against the definition.

use inference_kernels::{CpuFeatures, GEMM_SCRATCH, Kernels, Operand, Target, bf16_to_f32, f32_to_bf16};

/// Numbers from -1 to 1.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Rows, columns and inner indices, around the sizes of tiles and blocks.
const SHAPES: [[usize; 3]; 9] = [
    [1, 1, 1],
    [3, 5, 7],
    [14, 32, 16],
    [15, 33, 17],
    [64, 100, 32],
    [200, 70, 300],
    [13, 600, 257],
    [5, 16, 512],
    [2, 1, 0],
];

/// The three forms: A·B, A·Bᵀ, Aᵀ·B.
fn operands<'a>(
    form: usize,
    a: &'a [f32],
    b: &'a [f32],
    [m, n, k]: [usize; 3],
) -> (Operand<'a>, Operand<'a>) {
    match form {
        0 => (Operand::dense(a, m, k), Operand::dense(b, k, n)),
        1 => (Operand::dense(a, m, k), Operand::dense(b, n, k).transposed()),
        _ => (Operand::dense(a, k, m).transposed(), Operand::dense(b, k, n)),
    }
}

/// Element (row, column) of an operand.
fn at(form: usize, a: &[f32], b: &[f32], [m, n, k]: [usize; 3], i: usize, j: usize, p: usize) -> (f32, f32) {
    let a = if form == 2 { a[p * m + i] } else { a[i * k + p] };
    let b = if form == 1 { b[j * k + p] } else { b[p * n + j] };
    (a, b)
}

fn paths() -> [Kernels; 3] {
    let all = CpuFeatures::detect();
    [Kernels::generic(), Kernels::select(all - CpuFeatures::AVX512_VNNI), Kernels::select(all)]
}

#[test]
fn every_path_is_one_chain_of_fused_operations() {
    let mut scratch = vec![0.0; GEMM_SCRATCH];
    for shape @ [m, n, k] in SHAPES {
        let (a, b) = (numbers(m * k, 1), numbers(n * k, 2));
        for form in 0..3 {
            for accumulate in [false, true] {
                let start = numbers(m * (n + 3), 3);
                let mut expected = start.clone();
                for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                    let first = if accumulate { start[i * (n + 3) + j] } else { 0.0 };
                    expected[i * (n + 3) + j] = (0..k).fold(first, |sum, p| {
                        let (a, b) = at(form, &a, &b, shape, i, j, p);
                        a.mul_add(b, sum)
                    });
                }
                for kernels in paths() {
                    let mut out = start.clone();
                    let (a, b) = operands(form, &a, &b, shape);
                    kernels.gemm(a, b, accumulate, &mut Target::new(&mut out, m, n, n + 3), &mut scratch);
                    assert!(out == expected, "{} {shape:?} form {form} {accumulate}", kernels.name());
                }
            }
        }
    }
}

#[test]
fn products_in_bf16_are_those_of_rounded_operands() {
    let kernels = Kernels::select(CpuFeatures::detect());
    let mut scratch = vec![0.0; GEMM_SCRATCH];
    let round = |x: f32| if kernels.has_bf16() { bf16_to_f32(f32_to_bf16(x)) } else { x };
    for shape @ [m, n, k] in SHAPES {
        let (a, b) = (numbers(m * k, 1), numbers(n * k, 2));
        for form in 0..3 {
            let mut out = numbers(m * n, 3);
            let start = out.clone();
            let (left, right) = operands(form, &a, &b, shape);
            kernels.gemm_bf16(left, right, true, &mut Target::dense(&mut out, m, n), &mut scratch);
            for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let exact: f64 = (0..k)
                    .map(|p| at(form, &a, &b, shape, i, j, p))
                    .map(|(a, b)| f64::from(round(a)) * f64::from(round(b)))
                    .sum::<f64>()
                    + f64::from(start[i * n + j]);
                let error = (f64::from(out[i * n + j]) - exact).abs();
                assert!(error < 1e-6 * (k + 4) as f64, "{shape:?} form {form} ({i}, {j}): {error}");
            }
        }
    }
}
