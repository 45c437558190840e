// SPDX-License-Identifier: MIT
//! Adapters: the same logits as weights into which they were merged, the same bits for any number of workers, and files
//! that do not fit are refused by name.

mod common;

use common::Host;
use inference_gguf::{GgmlType, Gguf, Writer};
use inference_model::{Adapter, CacheKind, Config, CpuFeatures, Kernels, Model, Part};

const LAYERS: usize = 2;
const RANK: usize = 4;
const ALPHA: f32 = 8.0;

/// Rows and columns of a part: embedding 64, two of four heads for keys and values, network 96.
fn shape(part: Part) -> (usize, usize) {
    match part {
        Part::Q | Part::O => (64, 64),
        Part::K | Part::V => (32, 64),
        Part::Gate | Part::Up => (96, 64),
        Part::Down => (64, 96),
    }
}

/// Numbers around 0 that depend on `seed` alone.
fn numbers(seed: u64, count: usize, size: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..count).map(|_| size * next()).collect()
}

fn seed(layer: usize, part: Part, which: u64) -> u64 {
    1 + which * 100 + (layer * 7 + part as usize) as u64
}

fn pair(layer: usize, part: Part) -> [Vec<f32>; 2] {
    let (rows, cols) = shape(part);
    [numbers(seed(layer, part, 1), RANK * cols, 0.5), numbers(seed(layer, part, 2), rows * RANK, 0.5)]
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A model; `merged`: with the adapter added to its weights.
fn model(merged: bool) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").u32("llama.context_length", 64);
    writer.u32("llama.embedding_length", 64).u32("llama.block_count", LAYERS as u32);
    writer.u32("llama.feed_forward_length", 96).u32("llama.attention.head_count", 4);
    writer.u32("llama.attention.head_count_kv", 2).f32("llama.attention.layer_norm_rms_epsilon", 1e-5);
    let mut data = Vec::new();
    let mut add = |writer: &mut Writer, name: &str, dims: &[u64], values: Vec<f32>| {
        writer.tensor(name, dims, GgmlType::F32);
        data.push(bytes(&values));
    };
    add(&mut writer, "token_embd.weight", &[64, 50], numbers(999, 50 * 64, 1.0));
    add(&mut writer, "output_norm.weight", &[64], vec![1.0; 64]);
    for layer in 0..LAYERS {
        add(&mut writer, &format!("blk.{layer}.attn_norm.weight"), &[64], vec![1.0; 64]);
        add(&mut writer, &format!("blk.{layer}.ffn_norm.weight"), &[64], vec![1.0; 64]);
        for part in Part::ALL {
            let (rows, cols) = shape(part);
            let mut values = numbers(seed(layer, part, 0), rows * cols, 0.4);
            if merged {
                let [a, b] = pair(layer, part);
                for (index, value) in values.iter_mut().enumerate() {
                    let (row, col) = (index / cols, index % cols);
                    let sum: f32 = (0..RANK).map(|r| b[row * RANK + r] * a[r * cols + col]).sum();
                    *value += ALPHA / RANK as f32 * sum;
                }
            }
            let name = format!("blk.{layer}.{}.weight", part.name());
            add(&mut writer, &name, &[cols as u64, rows as u64], values);
        }
    }
    writer.file(&data.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The adapter's file; `spoil` may change names, shapes and values before they are written.
fn adapter(spoil: impl Fn(&mut String, &mut [u64; 2], &mut Vec<f32>)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").str("general.type", "adapter");
    writer.str("adapter.type", "lora").f32("adapter.lora.alpha", ALPHA);
    let mut data = Vec::new();
    for layer in 0..LAYERS {
        for part in Part::ALL {
            let ((rows, cols), [a, b]) = (shape(part), pair(layer, part));
            let name = format!("blk.{layer}.{}.weight", part.name());
            for (suffix, dims, values) in [("lora_a", [cols, RANK], a), ("lora_b", [RANK, rows], b)] {
                let (mut name, mut dims, mut values) =
                    (format!("{name}.{suffix}"), dims.map(|n| n as u64), values);
                spoil(&mut name, &mut dims, &mut values);
                writer.tensor(&name, &dims, GgmlType::F32);
                values.resize((dims[0] * dims[1]) as usize, 0.0);
                data.push(bytes(&values));
            }
        }
    }
    writer.file(&data.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn logits(
    file: &[u8],
    adapter: Option<&[u8]>,
    (workers, batch): (usize, usize),
    kernels: Kernels,
) -> Vec<f32> {
    let model = Model::bind(&Gguf::parse(file).unwrap()).unwrap();
    let adapter = adapter.map(|bytes| Adapter::read(bytes, &model).unwrap());
    let config = Config { context: 64, batch, workers, cache: CacheKind::F32 };
    let tokens: Vec<u32> = (0..30).map(|i| i * 7 % 50).collect();
    Host::new(&model, config).adapted(adapter.as_ref()).run(kernels, |engine| {
        engine.advance(&tokens, &mut |_| true).unwrap();
        engine.logits().to_vec()
    })
}

#[test]
fn an_adapter_beside_the_weights_is_the_merged_model() {
    let (plain, merged) = (model(false), model(true));
    let beside = logits(&plain, Some(&adapter(|_, _, _| ())), (1, 8), Kernels::generic());
    let inside = logits(&merged, None, (1, 8), Kernels::generic());
    let without = logits(&plain, None, (1, 8), Kernels::generic());
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(distance(&beside, &inside) < 1e-3, "{}", distance(&beside, &inside));
    assert!(distance(&beside, &without) > 0.1, "the adapter changes something");
}

#[test]
fn adapted_logits_do_not_depend_on_workers_batches_or_instruction_sets() {
    let (file, adapter) = (model(false), adapter(|_, _, _| ()));
    let bits = |work, kernels| -> Vec<u32> {
        logits(&file, Some(&adapter), work, kernels).iter().map(|x| x.to_bits()).collect()
    };
    let reference = bits((1, 1), Kernels::generic());
    let fast = Kernels::select(CpuFeatures::detect());
    for work in [(1, 1), (1, 7), (1, 30), (2, 1), (2, 16), (3, 5), (4, 32)] {
        assert!(bits(work, fast) == reference, "{work:?}");
    }
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let file = model(false);
    let model = Model::bind(&Gguf::parse(&file).unwrap()).unwrap();
    type Spoil = fn(&mut String, &mut [u64; 2], &mut Vec<f32>);
    let cases: [(&str, Spoil); 5] = [
        ("tensors that this model has no place for", |name, _, _| {
            *name = name.replace("blk.1.ffn_up", "blk.9.ffn_up");
        }),
        ("one matrix instead of two", |name, _, _| *name = name.replace("blk.0.attn_q.weight.lora_b", "x")),
        ("another shape", |name, dims, _| dims[0] += u64::from(name.ends_with("lora_a")) * 32),
        ("rank that is not from 1", |_, dims, _| {
            *dims = dims.map(|n| if n == RANK as u64 { 257 } else { n })
        }),
        ("values that are no numbers", |_, _, values| values[3] = f32::NAN),
    ];
    for (why, spoil) in cases {
        let error = Adapter::read(&adapter(spoil), &model).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    let whole = adapter(|_, _, _| ());
    for end in (0..whole.len()).step_by(97) {
        assert!(Adapter::read(&whole[..end], &model).is_err(), "cut at {end}");
    }
    assert!(Adapter::read(&file, &model).expect_err("a model").to_string().contains("no LoRA adapter"));
}
