// SPDX-License-Identifier: MIT
//! Hostile models: each is a small valid model with one thing wrong, and must be refused by name, or, where only its
//! numbers are wild, be computed without a panic.

use inference_gguf::{GgmlType, Gguf, Writer};
use inference_model::{CacheKind, Config, Engine, EvalError, Kernels, Model, ModelError, Team, Worker};

const WIDTH: u64 = 32;

/// What a test changes: metadata by key, shapes by name, and the bytes of all tensors.
#[derive(Default)]
struct Changes<'c> {
    numbers: &'c [(&'c str, u32)],
    reals: &'c [(&'c str, f32)],
    arch: Option<&'c str>,
    shape: Option<(&'c str, [u64; 2])>,
    without: Option<&'c str>,
    fill: Option<f32>,
}

fn tensors() -> Vec<(String, Vec<u64>)> {
    let mut all = vec![
        ("token_embd.weight".to_string(), vec![WIDTH, 8]),
        ("output_norm.weight".to_string(), vec![WIDTH]),
    ];
    for (name, dims) in [
        ("attn_norm", vec![WIDTH]),
        ("attn_q", vec![WIDTH, WIDTH]),
        ("attn_k", vec![WIDTH, 16]),
        ("attn_v", vec![WIDTH, 16]),
        ("attn_output", vec![WIDTH, WIDTH]),
        ("ffn_norm", vec![WIDTH]),
        ("ffn_gate", vec![WIDTH, 48]),
        ("ffn_up", vec![WIDTH, 48]),
        ("ffn_down", vec![48, WIDTH]),
    ] {
        all.push((format!("blk.0.{name}.weight"), dims));
    }
    all
}

fn file(changes: &Changes<'_>) -> Vec<u8> {
    let arch = changes.arch.unwrap_or("llama");
    let mut writer = Writer::new();
    writer.str("general.architecture", arch);
    let numbers = [
        ("context_length", 64),
        ("embedding_length", WIDTH as u32),
        ("block_count", 1),
        ("feed_forward_length", 48),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ];
    for (key, value) in numbers {
        let changed = changes.numbers.iter().find(|(name, _)| *name == key);
        writer.u32(&format!("{arch}.{key}"), changed.map_or(value, |(_, value)| *value));
    }
    for (key, value) in changes.numbers.iter().filter(|(key, _)| numbers.iter().all(|(name, _)| name != key))
    {
        writer.u32(&format!("{arch}.{key}"), *value);
    }
    let eps = changes
        .reals
        .iter()
        .find(|(key, _)| *key == "attention.layer_norm_rms_epsilon")
        .map_or(1e-5, |(_, v)| *v);
    writer.f32(&format!("{arch}.attention.layer_norm_rms_epsilon"), eps);
    for (key, value) in changes.reals.iter().filter(|(key, _)| *key != "attention.layer_norm_rms_epsilon") {
        writer.f32(&format!("{arch}.{key}"), *value);
    }
    let mut data = Vec::new();
    for (name, dims) in tensors() {
        if changes.without == Some(name.as_str()) {
            continue;
        }
        let dims = changes.shape.filter(|(n, _)| *n == name).map_or(dims, |(_, dims)| dims.to_vec());
        let size = writer.tensor(&name, &dims, GgmlType::F32) as usize;
        let value = |i: usize| changes.fill.unwrap_or((i % 7) as f32 * 0.1 - 0.3);
        data.push((0..size / 4).flat_map(|i| value(i).to_le_bytes()).collect::<Vec<u8>>());
    }
    writer.file(&data.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn refusal(changes: &Changes<'_>) -> ModelError {
    let bytes = file(changes);
    Model::bind(&Gguf::parse(&bytes).unwrap()).expect_err("the model must be refused")
}

#[test]
fn the_unchanged_model_binds() {
    let bytes = file(&Changes::default());
    assert!(Model::bind(&Gguf::parse(&bytes).unwrap()).is_ok());
}

#[test]
fn counts_that_cannot_be_are_refused_by_key() {
    let cases = [
        ("block_count", 0),
        ("block_count", u32::MAX),
        ("block_count", 1000),
        ("embedding_length", 0),
        ("embedding_length", u32::MAX),
        ("attention.head_count", 0),
        ("attention.head_count", u32::MAX),
        ("attention.head_count_kv", 0),
        ("attention.head_count_kv", 3),
        ("attention.head_count_kv", 5),
        ("feed_forward_length", 0),
        ("context_length", 0),
        ("context_length", u32::MAX),
        ("attention.key_length", 0),
        ("attention.key_length", u32::MAX),
        ("rope.dimension_count", 3),
        ("rope.dimension_count", 9),
        ("rope.scaling.original_context_length", 0),
    ];
    for (key, value) in cases {
        let message = refusal(&Changes { numbers: &[(key, value)], ..Changes::default() }).to_string();
        let named =
            message.contains(key.rsplit('.').next().unwrap()) || message.contains("rope.dimension_count");
        assert!(named || message.contains("tensor"), "{key} = {value}: {message}");
    }
}

#[test]
fn constants_that_cannot_be_are_refused() {
    for value in [f32::NAN, f32::INFINITY, -1.0] {
        refusal(&Changes { reals: &[("attention.layer_norm_rms_epsilon", value)], ..Changes::default() });
        refusal(&Changes { reals: &[("rope.freq_base", value)], ..Changes::default() });
    }
}

#[test]
fn shapes_that_contradict_the_metadata_are_refused_by_tensor() {
    for (name, dims) in tensors().into_iter().filter(|(_, dims)| dims.len() == 2) {
        let wrong = [dims[0] + 1, dims[1]];
        let message = refusal(&Changes { shape: Some((&name, wrong)), ..Changes::default() }).to_string();
        assert!(message.contains(&name), "{message}");
    }
}

#[test]
fn missing_tensors_and_unknown_architectures_are_named() {
    for (name, _) in tensors() {
        let message = refusal(&Changes { without: Some(&name), ..Changes::default() }).to_string();
        assert!(message.contains(&name), "{message}");
    }
    let message = refusal(&Changes { arch: Some("mamba"), ..Changes::default() }).to_string();
    assert!(message.contains("mamba") && message.contains("qwen3"), "{message}");
}

/// Runs a model whose weights are all `fill`; the logits may be anything.
fn compute(fill: f32, act: impl FnOnce(&mut Engine<'_, '_>)) {
    let bytes = file(&Changes { fill: Some(fill), ..Changes::default() });
    let model = Model::bind(&Gguf::parse(&bytes).unwrap()).unwrap();
    let config = Config { context: 16, batch: 4, workers: 1, cache: CacheKind::F16 };
    let needs = model.needs(&config, 0).unwrap();
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let worker =
        Worker::new(&model, config, Kernels::generic(), Team::alone(), &mut cache, &mut scratch).unwrap();
    act(&mut Engine::new(worker).unwrap());
}

#[test]
fn wild_numbers_are_computed_without_a_panic() {
    for fill in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 0.0] {
        compute(fill, |engine| {
            engine.advance(&[1, 2, 3, 4, 5], &mut |_| true).unwrap();
            engine.push(6).unwrap();
            assert_eq!(engine.logits().len(), 8);
        });
    }
}

#[test]
fn tokens_outside_the_vocabulary_and_the_context_are_refused() {
    compute(0.1, |engine| {
        let refused = engine.advance(&[1, 8], &mut |_| true);
        assert_eq!(refused, Err(EvalError::BadToken { token: 8, vocab: 8 }));
        assert_eq!(engine.advance(&[], &mut |_| true), Err(EvalError::Empty));
        let long = [1; 17];
        assert_eq!(
            engine.advance(&long, &mut |_| true),
            Err(EvalError::ContextFull { needed: 17, context: 16 })
        );
        engine.advance(&long[..16], &mut |_| true).unwrap();
        assert_eq!(engine.push(1), Err(EvalError::ContextFull { needed: 17, context: 16 }));
    });
}

#[test]
fn configurations_that_cannot_be_are_refused() {
    let bytes = file(&Changes::default());
    let model = Model::bind(&Gguf::parse(&bytes).unwrap()).unwrap();
    let good = Config { context: 16, batch: 4, workers: 1, cache: CacheKind::F16 };
    for bad in [
        Config { context: 0, ..good },
        Config { batch: 0, ..good },
        Config { workers: 0, ..good },
        Config { context: 65, ..good },
        Config { workers: 5, ..good },
        Config { cache: CacheKind::Q8_0, ..good },
        Config { batch: usize::MAX, ..good },
    ] {
        assert!(model.needs(&bad, 0).is_err(), "{bad:?}");
    }
    let mut scratch = [0.0; 8];
    let small = Worker::new(&model, good, Kernels::generic(), Team::alone(), &mut [], &mut scratch);
    assert!(matches!(small.err(), Some(ModelError::SmallBuffer { .. })));
}
