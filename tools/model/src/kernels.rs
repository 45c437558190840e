// SPDX-License-Identifier: MIT
//! `kernels`: the speed of matrix products in cache, per type: the best of many short runs, so that other load on the
//! machine hardly shows.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inference_gguf::GgmlType;
use inference_kernels::{Activation, ActivationKind, CpuFeatures, Kernels, Matrix, Output, Quantized};

use crate::output::say;

#[derive(clap::Args)]
pub struct Arguments {
    /// Rows of the matrix.
    #[arg(long, default_value_t = 64)]
    rows: usize,
    /// Columns of the matrix.
    #[arg(long, default_value_t = 2048)]
    cols: usize,
    /// Tokens multiplied together, besides one alone.
    #[arg(long, default_value_t = 32)]
    tokens: usize,
    /// Only this type, for example Q4_K.
    #[arg(long = "type")]
    kind: Option<String>,
    /// Milliseconds per figure.
    #[arg(long, default_value_t = 100)]
    time: u64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    check(arguments)?;
    let mut paths = vec![Kernels::generic(), Kernels::select(CpuFeatures::empty())];
    paths.push(Kernels::select(CpuFeatures::detect() - CpuFeatures::AVX512_VNNI - CpuFeatures::I8MM));
    paths.push(Kernels::select(CpuFeatures::detect()));
    paths.dedup();
    say!(
        "{:8} {:12} {:>12} {:>12} {:>14}",
        "type",
        "kernels",
        "1 token GB/s",
        "GMAC/s",
        format!("{} tokens", arguments.tokens)
    );
    let wanted =
        |kind: &GgmlType| arguments.kind.as_ref().is_none_or(|name| kind.name().eq_ignore_ascii_case(name));
    for kind in GgmlType::ALL.into_iter().filter(wanted) {
        for kernels in &paths {
            let one = best(*kernels, kind, arguments, 1);
            let many = best(*kernels, kind, arguments, arguments.tokens) / arguments.tokens as f64;
            let macs = (arguments.rows * arguments.cols) as f64;
            let bytes = kind.row_bytes(arguments.cols as u64).unwrap_or(0) as f64 * arguments.rows as f64;
            say!(
                "{:8} {:12} {:12.1} {:12.1} {:14.1}",
                kind.name(),
                kernels.name(),
                bytes / one / 1e9,
                macs / one / 1e9,
                macs / many / 1e9
            );
        }
    }
    Ok(())
}

/// What cannot be measured is refused by name.
fn check(arguments: &Arguments) -> Result<()> {
    let sizes = [arguments.rows, arguments.cols, arguments.tokens];
    ensure!(
        sizes.iter().all(|n| (1..=1 << 16).contains(n)) && arguments.cols.is_multiple_of(256),
        "rows, columns and tokens must be from 1 to 65536, columns a multiple of 256"
    );
    let names: Vec<&str> = GgmlType::ALL.iter().map(|kind| kind.name()).collect();
    if let Some(kind) = &arguments.kind {
        let known = names.iter().any(|name| name.eq_ignore_ascii_case(kind));
        ensure!(known, "type `{kind}` is not known: use one of {}", names.join(" "));
    }
    Ok(())
}

/// Seconds of the fastest run.
fn best(kernels: Kernels, kind: GgmlType, arguments: &Arguments, tokens: usize) -> f64 {
    let (rows, width) = (arguments.rows, arguments.cols);
    let row = kind.row_bytes(width as u64).unwrap_or(0) as usize;
    let bytes = weights(kind, row * rows);
    let Some(matrix) = Matrix::new(kind, rows, width, &bytes) else { return f64::INFINITY };
    let values: Vec<f32> = (0..width * tokens).map(|i| (i % 17) as f32 - 8.0).collect();
    let (mut q, mut d) = (vec![0; values.len()], vec![0.0; values.len() / 16]);
    let mut sums = vec![0; values.len() / 16];
    let activation = ActivationKind::of(kind);
    if activation != ActivationKind::F32 {
        let mut out = Quantized { q: &mut q, d: &mut d, sums: &mut sums, width };
        kernels.quantize(activation, &values, tokens, &mut out);
    }
    let x = Activation { kind: activation, width, tokens, values: &values, q: &q, d: &d, sums: &sums };
    let mut out = vec![0.0; rows * tokens];
    let (begin, mut best) = (Instant::now(), Duration::MAX);
    while begin.elapsed() < Duration::from_millis(arguments.time) {
        let start = Instant::now();
        kernels.matmul(&matrix, &x, &mut Output { values: &mut out, stride: rows });
        best = best.min(start.elapsed());
    }
    best.as_secs_f64()
}

/// Some weights. Floating-point ones are moderate numbers: subnormal ones would measure something else.
fn weights(kind: GgmlType, len: usize) -> Vec<u8> {
    let value = |i: usize| (i % 17) as f32 - 8.0;
    match kind {
        GgmlType::F32 => (0..len / 4).flat_map(|i| value(i).to_le_bytes()).collect(),
        GgmlType::F16 => {
            (0..len / 2).flat_map(|i| inference_kernels::f32_to_f16(value(i)).to_le_bytes()).collect()
        }
        GgmlType::BF16 => {
            (0..len / 2).flat_map(|i| inference_kernels::f32_to_bf16(value(i)).to_le_bytes()).collect()
        }
        _ => (0..len).map(|i| (i * 37 % 61) as u8).collect(),
    }
}
