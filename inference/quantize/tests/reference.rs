// SPDX-License-Identifier: MIT
//! Against llama.cpp's own files: the same tensors in the same types, not worse; and the model still says the same.

use inference_gguf::{GgmlType, Gguf, TensorInfo, Writer};
use inference_kernels::{CpuFeatures, dequantize_row};
use inference_model::{CacheKind, Config, Engine, Kernels, Model, Team, Worker};
use inference_quantize::quantize_row;
use tests_fixtures::shared;

/// What our error may be of llama.cpp's.
const BOUND: f64 = 1.01;
const NAMES: [&str; 14] = [
    "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "IQ4_NL",
    "IQ4_XS", "BF16",
];

fn rows(gguf: &Gguf<'_>, tensor: &TensorInfo<'_>) -> Vec<f32> {
    let mut out = vec![0.0; tensor.elements() as usize];
    dequantize_row(tensor.kind, gguf.tensor_data(tensor).unwrap(), &mut out);
    out
}

fn quantized(kind: GgmlType, values: &[f32]) -> Vec<u8> {
    let mut out = vec![0; kind.row_bytes(values.len() as u64).unwrap() as usize];
    quantize_row(kind, values, &mut out).unwrap();
    out
}

fn square_error(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// The source in the types of `theirs`: the file, our squared error, theirs.
fn convert(source: &Gguf<'_>, theirs: &Gguf<'_>) -> (Vec<u8>, f64, f64) {
    let (mut writer, mut data) = (Writer::new(), Vec::new());
    for entry in theirs.entries() {
        writer.raw(entry.key, entry.raw);
    }
    let (mut our_error, mut their_error) = (0.0, 0.0);
    for tensor in theirs.tensors() {
        let values = rows(source, source.tensor(tensor.name).unwrap());
        let bytes = quantized(tensor.kind, &values);
        let mut back = vec![0.0; values.len()];
        dequantize_row(tensor.kind, &bytes, &mut back);
        our_error += square_error(&values, &back);
        their_error += square_error(&values, &rows(theirs, tensor));
        writer.tensor(tensor.name, &tensor.dims[..tensor.n_dims as usize], tensor.kind);
        data.push(bytes);
    }
    (writer.file(&data.iter().map(Vec::as_slice).collect::<Vec<_>>()), our_error, their_error)
}

/// Logits after every one of `tokens`.
fn logits(file: &[u8], tokens: &[u32]) -> Vec<Vec<f32>> {
    let model = Model::bind(&Gguf::parse(file).unwrap()).unwrap();
    let config = Config { context: tokens.len(), batch: 8, workers: 1, cache: CacheKind::F32 };
    let needs = model.needs(&config, 0).unwrap();
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let kernels = Kernels::select(CpuFeatures::detect());
    let worker = Worker::new(&model, config, kernels, Team::alone(), &mut cache, &mut scratch).unwrap();
    let mut engine = Engine::new(worker).unwrap();
    tokens
        .iter()
        .map(|token| {
            engine.push(*token).unwrap();
            engine.logits().to_vec()
        })
        .collect()
}

fn relative(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let error: f64 = a.iter().zip(b).map(|(a, b)| square_error(a, b)).sum();
    let size: f64 = a.iter().flatten().map(|x| f64::from(*x).powi(2)).sum();
    (error / size).sqrt()
}

#[test]
fn our_files_are_as_good_as_llama_cpps() {
    let Some(root) = shared("models/quants") else { return };
    let read =
        |name: &str| std::fs::read(root.join(format!("models/quants/tiny-llama-{name}.gguf"))).unwrap();
    let source = read("F16");
    let parsed = Gguf::parse(&source).unwrap();
    let tokens: Vec<u32> = (0..12).map(|i| (i * 37 + 3) % 256).collect();
    let exact = logits(&source, &tokens);
    for name in NAMES {
        let theirs = read(name);
        let (ours, our_error, their_error) = convert(&parsed, &Gguf::parse(&theirs).unwrap());
        let ratio = (our_error / their_error).sqrt();
        let distances = [&ours, &theirs].map(|file| relative(&exact, &logits(file, &tokens)));
        println!(
            "{name:7} RMSE ours/theirs {ratio:.4}, logits ours {:.4} theirs {:.4}",
            distances[0], distances[1]
        );
        assert!(our_error <= their_error * BOUND * BOUND, "{name}: {ratio}");
        assert!(distances[0] <= distances[1] * 1.15 + 1e-4, "{name}: {distances:?}");
    }
}
