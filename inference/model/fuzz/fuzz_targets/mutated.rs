// SPDX-License-Identifier: MIT
//! A small valid model with some bytes changed: what still binds computes some tokens, by each of this machine's kernels.
//! Random bytes hardly ever bind; these mostly do.
#![no_main]

use std::sync::LazyLock;

use inference_gguf::{GgmlType, Gguf, Writer};
use inference_model::{CacheKind, Config, CpuFeatures, Kernels, Model, Team, Worker};
use libfuzzer_sys::fuzz_target;

const WIDTH: u64 = 256;
const MOST: usize = 1 << 22;

/// A model whose matrices have type `kind`, and where its tensors' data begin.
fn file(kind: GgmlType) -> (Vec<u8>, usize) {
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama");
    let numbers = [
        ("context_length", 16),
        ("embedding_length", WIDTH as u32),
        ("block_count", 1),
        ("feed_forward_length", WIDTH as u32),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ];
    for (key, value) in numbers {
        writer.u32(&format!("llama.{key}"), value);
    }
    writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5).f32("llama.rope.freq_base", 1e4);
    let matrices = [("attn_q", 256), ("attn_k", 128), ("attn_v", 128), ("attn_output", 256), ("ffn_gate", 256), ("ffn_up", 256), ("ffn_down", 256)];
    let mut sizes = vec![writer.tensor("token_embd.weight", &[WIDTH, 8], kind)];
    for norm in ["output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"] {
        sizes.push(writer.tensor(&format!("{norm}.weight"), &[WIDTH], GgmlType::F32));
    }
    for (name, rows) in matrices {
        sizes.push(writer.tensor(&format!("blk.0.{name}.weight"), &[WIDTH, rows], kind));
    }
    let data: Vec<Vec<u8>> = sizes.iter().map(|size| (0..*size).map(|i| (i * 37 % 61) as u8).collect()).collect();
    let header = writer.header().len();
    (writer.file(&data.iter().map(Vec::as_slice).collect::<Vec<_>>()), header)
}

static FILES: LazyLock<Vec<(Vec<u8>, usize)>> = LazyLock::new(|| GgmlType::ALL.iter().map(|kind| file(*kind)).collect());

fuzz_target!(|input: (u8, Vec<(u16, u8)>, Vec<(u32, u8)>, u8, u8)| {
    let (kind, header, data, cache, token) = input;
    let (file, start) = &FILES[usize::from(kind) % FILES.len()];
    let mut bytes = file.clone();
    for (at, value) in header {
        bytes[usize::from(at) % start] = value;
    }
    for (at, value) in data {
        let len = bytes.len() - start;
        bytes[start + at as usize % len] = value;
    }
    let Ok(gguf) = Gguf::parse(&bytes) else { return };
    let Ok(model) = Model::bind(&gguf) else { return };
    let cache = [CacheKind::F32, CacheKind::F16, CacheKind::Q8_0][usize::from(cache) % 3];
    let config = Config { context: model.hyper.context.min(8), batch: 6, workers: 1, cache };
    let Ok(needs) = model.needs(&config, 0) else { return };
    if needs.cache > MOST || needs.scratch > MOST {
        return;
    }
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let found = CpuFeatures::detect();
    let features = [found, found - CpuFeatures::AVX512_VNNI, CpuFeatures::empty()][usize::from(token) % 3];
    let kernels = Kernels::select(features);
    let Ok(mut worker) = Worker::new(&model, config, kernels, Team::alone(), &mut cache, &mut scratch) else { return };
    let (last, token) = (model.hyper.vocab as u32 - 1, u32::from(token));
    let _ = worker.eval(&[0, last, token, 1, last], 0, true, &mut |_| true);
    let _ = worker.eval(&[last], 5, true, &mut |_| true);
});
