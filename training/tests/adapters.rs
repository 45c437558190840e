//! Adapters: gradients against finite differences over bases of every kind, and that the base stays as it is.

mod common;

use common::{SHAPE, documents};
use inference_gguf::{GgmlType, Gguf, Writer};
use inference_kernels::{CpuFeatures, Kernels};
use inference_model::Model;
use training::random::Random;
use training::{Alone, Base, Gradients, Layout, Net, Part, Plan, Shape, initial};

/// Rows that blocks of 256 divide.
const WIDE: Shape = Shape { dim: 256, heads: 4, kv_heads: 2, ffn: 256, layers: 1, ..SHAPE };
const PLAN: Plan = Plan { shards: 2, together: 96, recompute: false, bf16: false };
const RANK: usize = 3;
const SCALE: f32 = 0.7;

/// A model file with matrices of `kind`.
fn file(shape: &Shape, kind: GgmlType) -> Vec<u8> {
    let layout = Layout::full(shape);
    let parameters = initial::full(&layout, shape, 1).unwrap();
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").u32("llama.context_length", shape.context as u32);
    writer.u32("llama.embedding_length", shape.dim as u32).u32("llama.block_count", shape.layers as u32);
    writer.u32("llama.feed_forward_length", shape.ffn as u32);
    writer.u32("llama.attention.head_count", shape.heads as u32);
    writer.u32("llama.attention.head_count_kv", shape.kv_heads as u32);
    writer.f32("llama.attention.layer_norm_rms_epsilon", shape.eps);
    writer.f32("llama.rope.freq_base", shape.rope_base);
    let mut tensors = Vec::new();
    for slot in layout.slots() {
        let kind = if slot.decay { kind } else { GgmlType::F32 };
        let dims = [slot.cols as u64, slot.rows as u64];
        writer.tensor(&slot.name, &dims[..1 + usize::from(slot.decay)], kind);
        let values: Vec<f32> = parameters[slot.range()].iter().map(|x| 2.0 * x).collect();
        let mut bytes = vec![0; kind.row_bytes(values.len() as u64).unwrap() as usize];
        inference_quantize::quantize_row(kind, &values, &mut bytes).unwrap();
        tensors.push(bytes);
    }
    writer.file(&tensors.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The base's weights as numbers, in the order of [`Layout::full`].
fn dense(gguf: &Gguf<'_>, layout: &Layout) -> Vec<f32> {
    let mut out = vec![0.0; layout.len()];
    for slot in layout.slots() {
        let tensor = gguf.tensor(&slot.name).unwrap();
        inference_kernels::dequantize_row(
            tensor.kind,
            gguf.tensor_data(tensor).unwrap(),
            &mut out[slot.range()],
        );
    }
    out
}

/// The base with the adapters added to its weights, in `f64`.
fn merged(shape: &Shape, base: &[f32], adapters: &Layout, p: &[f64]) -> Vec<f64> {
    let mut out: Vec<f64> = base.iter().map(|x| f64::from(*x)).collect();
    for slot in Layout::full(shape).slots() {
        let Some(a) = adapters.find(&format!("{}.lora_a", slot.name)) else { continue };
        let b = adapters.find(&format!("{}.lora_b", slot.name)).unwrap();
        for (row, col) in (0..slot.rows).flat_map(|row| (0..slot.cols).map(move |col| (row, col))) {
            let sum: f64 =
                (0..RANK).map(|r| p[b.start + row * RANK + r] * p[a.start + r * slot.cols + col]).sum();
            out[slot.start + row * slot.cols + col] += f64::from(SCALE) * sum;
        }
    }
    out
}

fn check(kind: GgmlType) {
    let shape = WIDE;
    let bytes = file(&shape, kind);
    let gguf = Gguf::parse(&bytes).unwrap();
    let model = Model::bind(&gguf).unwrap();
    let base = Base::new(&model, shape.context).unwrap();
    assert_eq!(*base.shape(), shape);
    let layout = Layout::adapters(&shape, &Part::ALL, RANK);
    let mut parameters = vec![0.0; layout.len()];
    Random::new(9, 9).normal(0.1, &mut parameters);
    let frozen = base.net().unwrap();
    let net = frozen.adapted(&layout, &parameters, SCALE).unwrap();
    let all = &documents(&shape)[..2];
    let kernels = Kernels::select(CpuFeatures::detect());
    let mut gradients = Gradients::new(&net, layout.len(), PLAN, kernels).unwrap();
    let tally = gradients.compute(&net, all, &[0, 1], &Alone).unwrap();
    let weights = dense(&gguf, &Layout::full(&shape));
    let loss =
        |p: &[f64]| common::loss(&shape, &Layout::full(&shape), &merged(&shape, &weights, &layout, p), all);
    let mut p: Vec<f64> = parameters.iter().map(|x| f64::from(*x)).collect();
    assert!((tally.mean() - loss(&p)).abs() < 1e-5, "{kind:?}: {} {}", tally.mean(), loss(&p));
    let mut random = Random::new(5, 5);
    for slot in layout.slots() {
        let largest = gradients.gradient()[slot.range()].iter().fold(0f32, |m, g| m.max(g.abs()));
        let at = slot.start + random.below(slot.rows * slot.cols);
        let (was, step) = (p[at], 1e-4);
        p[at] = was + step;
        let above = loss(&p);
        p[at] = was - step;
        let difference = (above - loss(&p)) / (2.0 * step) - f64::from(gradients.gradient()[at]);
        p[at] = was;
        assert!(difference.abs() < 1e-3 * f64::from(largest) + 1e-7, "{kind:?} {}: {difference}", slot.name);
    }
}

#[test]
fn gradients_over_a_plain_base_are_those_of_finite_differences() {
    check(GgmlType::F32);
}

#[test]
fn gradients_over_half_precision_are_too() {
    check(GgmlType::F16);
}

#[test]
fn gradients_over_blocks_of_32_are_too() {
    check(GgmlType::Q8_0);
}

#[test]
fn gradients_over_blocks_of_256_are_too() {
    check(GgmlType::Q4K);
}

#[test]
fn a_fresh_adapter_changes_nothing() {
    let bytes = file(&WIDE, GgmlType::Q8_0);
    let gguf = Gguf::parse(&bytes).unwrap();
    let model = Model::bind(&gguf).unwrap();
    let base = Base::new(&model, WIDE.context).unwrap();
    let layout = Layout::adapters(&WIDE, &[Part::Q, Part::Down], RANK);
    let parameters = initial::adapters(&layout, 1).unwrap();
    let frozen = base.net().unwrap();
    let adapted = frozen.adapted(&layout, &parameters, SCALE).unwrap();
    let loss = |net: &Net<'_>| {
        let mut gradients = Gradients::new(net, layout.len(), PLAN, Kernels::generic()).unwrap();
        gradients.evaluate(net, &documents(&WIDE), &[0, 1], &Alone).unwrap().loss
    };
    assert_eq!(loss(&frozen), loss(&adapted));
}
