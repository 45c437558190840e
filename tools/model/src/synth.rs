// SPDX-License-Identifier: MIT
//! `synth`: models with the shapes of real ones and random weights, for measurements.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use inference_gguf::{GgmlType, Writer};
use inference_kernels::f32_to_f16;
use inference_quantize::Mixture;

use crate::output::say;
use crate::partial::Partial;

#[derive(clap::Args)]
pub struct Arguments {
    /// tinyllama-1.1b, smollm2-135m, llama-3.2-1b or mistral-7b.
    #[arg(long)]
    shape: String,
    /// A type or mixture, such as Q4_K_M, Q8_0 or F16.
    #[arg(long = "type", default_value = "Q4_K_M")]
    kind: String,
    /// Another seed makes other weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    out: PathBuf,
}

/// Sizes of a llama model.
struct Shape {
    name: &'static str,
    width: u64,
    layers: usize,
    heads: u64,
    kv_heads: u64,
    head: u64,
    feed_forward: u64,
    vocab: u64,
    context: u32,
    rope_base: f32,
    tied: bool,
}

#[rustfmt::skip]
const SHAPES: [Shape; 5] = [
    Shape { name: "tinyllama-1.1b", width: 2048, layers: 22, heads: 32, kv_heads: 4, head: 64, feed_forward: 5632, vocab: 32_000, context: 2048, rope_base: 1e4, tied: false },
    Shape { name: "smollm2-135m", width: 576, layers: 30, heads: 9, kv_heads: 3, head: 64, feed_forward: 1536, vocab: 49_152, context: 8192, rope_base: 1e5, tied: true },
    Shape { name: "llama-3.2-1b", width: 2048, layers: 16, heads: 32, kv_heads: 8, head: 64, feed_forward: 8192, vocab: 128_256, context: 8192, rope_base: 5e5, tied: true },
    Shape { name: "mistral-7b", width: 4096, layers: 32, heads: 32, kv_heads: 8, head: 128, feed_forward: 14_336, vocab: 32_768, context: 8192, rope_base: 1e6, tied: false },
    Shape { name: TINY, width: 256, layers: 2, heads: 4, kv_heads: 2, head: 64, feed_forward: 512, vocab: 512, context: 256, rope_base: 1e4, tied: false },
];

/// A shape for tests, which the help does not name.
const TINY: &str = "tiny";

pub fn run(arguments: &Arguments) -> Result<()> {
    let Some(shape) = SHAPES.iter().find(|s| s.name.eq_ignore_ascii_case(&arguments.shape)) else {
        bail!(
            "shape `{}` is not known; these are: {}",
            arguments.shape,
            SHAPES.iter().map(|s| s.name).filter(|name| *name != TINY).collect::<Vec<_>>().join(", ")
        );
    };
    let mixture = Mixture::named(&arguments.kind)
        .with_context(|| format!("type `{}` is not known", arguments.kind))?
        .grouped(shape.heads / shape.kv_heads);
    let mut writer = Writer::new();
    metadata(&mut writer, shape, &mixture);
    let tensors = tensors(shape, &mixture);
    let sizes: Vec<u64> = tensors.iter().map(|t| writer.tensor(&t.name, &t.dims, t.kind)).collect();
    let file = Partial::create(&arguments.out);
    let mut file = file.with_context(|| format!("cannot write {}", arguments.out.display()))?;
    file.write_all(&writer.header())?;
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}")?;
    let bar = ProgressBar::new(sizes.iter().sum()).with_style(style);
    let mut numbers = Numbers(arguments.seed);
    for (tensor, size) in tensors.iter().zip(sizes) {
        bar.set_message(tensor.name.clone());
        tensor.write(&mut file, &mut numbers)?;
        file.write_all(&[0; 32][..Writer::padding(size)])?;
        bar.inc(size);
    }
    file.finish()?;
    bar.finish_and_clear();
    say!("wrote {}", arguments.out.display());
    Ok(())
}

fn metadata(writer: &mut Writer, shape: &Shape, mixture: &Mixture) {
    writer.str("general.architecture", "llama").str("general.name", &format!("random {}", shape.name));
    writer.u32("general.file_type", mixture.file_type).u32("general.quantization_version", 2);
    writer.u32("llama.context_length", shape.context).u32("llama.embedding_length", shape.width as u32);
    writer
        .u32("llama.block_count", shape.layers as u32)
        .u32("llama.feed_forward_length", shape.feed_forward as u32);
    writer.u32("llama.attention.head_count", shape.heads as u32);
    writer.u32("llama.attention.head_count_kv", shape.kv_heads as u32);
    writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5).f32("llama.rope.freq_base", shape.rope_base);
    writer.u32("llama.rope.dimension_count", shape.head as u32).u32("llama.vocab_size", shape.vocab as u32);
    let tokens: Vec<String> = (0..shape.vocab).map(token).collect();
    let scores: Vec<f32> = (0..shape.vocab).map(|i| -(i as f32)).collect();
    let types: Vec<i32> = (0..shape.vocab)
        .map(|i| {
            if i == 0 {
                2
            } else if i < 3 {
                3
            } else if i < 259 {
                6
            } else {
                1
            }
        })
        .collect();
    writer.str("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", &tokens);
    writer.f32s("tokenizer.ggml.scores", &scores).i32s("tokenizer.ggml.token_type", &types);
    writer.u32("tokenizer.ggml.bos_token_id", 1).u32("tokenizer.ggml.eos_token_id", 2);
    writer.u32("tokenizer.ggml.unknown_token_id", 0).bool("tokenizer.ggml.add_bos_token", true);
}

fn token(i: u64) -> String {
    match i {
        0 => "<unk>".into(),
        1 => "<s>".into(),
        2 => "</s>".into(),
        3..259 => format!("<0x{:02X}>", i - 3),
        _ => format!("\u{2581}w{i}"),
    }
}

struct Tensor {
    name: String,
    dims: Vec<u64>,
    kind: GgmlType,
}

fn tensors(shape: &Shape, mixture: &Mixture) -> Vec<Tensor> {
    let matrix = |name: String, cols: u64, rows: u64| {
        let kind = mixture.of(&name, cols, shape.layers, shape.tied);
        Tensor { name, dims: vec![cols, rows], kind }
    };
    let norm = |name: String| Tensor { name, dims: vec![shape.width], kind: GgmlType::F32 };
    let (width, q, kv) = (shape.width, shape.heads * shape.head, shape.kv_heads * shape.head);
    let mut all =
        vec![matrix("token_embd.weight".into(), width, shape.vocab), norm("output_norm.weight".into())];
    if !shape.tied {
        all.push(matrix("output.weight".into(), width, shape.vocab));
    }
    for i in 0..shape.layers {
        all.push(norm(format!("blk.{i}.attn_norm.weight")));
        all.push(norm(format!("blk.{i}.ffn_norm.weight")));
        let parts = [
            ("attn_q", width, q),
            ("attn_k", width, kv),
            ("attn_v", width, kv),
            ("attn_output", q, width),
            ("ffn_gate", width, shape.feed_forward),
            ("ffn_up", width, shape.feed_forward),
            ("ffn_down", shape.feed_forward, width),
        ];
        all.extend(parts.map(|(name, cols, rows)| matrix(format!("blk.{i}.{name}.weight"), cols, rows)));
    }
    all
}

impl Tensor {
    /// Writes random blocks whose elements have a standard deviation of about 1 / sqrt(width); norms are 1.
    fn write(&self, out: &mut impl Write, numbers: &mut Numbers) -> Result<()> {
        if self.dims.len() == 1 {
            (0..self.dims[0]).try_for_each(|_| out.write_all(&1f32.to_le_bytes()))?;
            return Ok(());
        }
        let scale = 1.0 / (self.dims[0] as f32).sqrt();
        let mut block = vec![0; self.kind.block_bytes()];
        for _ in 0..self.dims[0] / self.kind.block_len() as u64 * self.dims[1] {
            numbers.fill(&mut block);
            self.set_scales(&mut block, scale, numbers);
            out.write_all(&block)?;
        }
        Ok(())
    }

    fn set_scales(&self, block: &mut [u8], scale: f32, numbers: &mut Numbers) {
        let mut half =
            |at: usize, value: f32| block[at..at + 2].copy_from_slice(&f32_to_f16(value).to_le_bytes());
        match self.kind {
            GgmlType::F32 => block.copy_from_slice(&(numbers.unit() * scale * 1.7).to_le_bytes()),
            GgmlType::F16 => half(0, numbers.unit() * scale * 1.7),
            GgmlType::BF16 => {
                block.copy_from_slice(
                    &inference_kernels::f32_to_bf16(numbers.unit() * scale * 1.7).to_le_bytes(),
                );
            }
            GgmlType::Q8_0 => half(0, scale / 74.0),
            GgmlType::Q4_0 => half(0, scale / 4.6),
            GgmlType::Q5_0 => half(0, scale / 9.2),
            GgmlType::IQ4NL => half(0, scale / 70.0),
            GgmlType::Q4_1 => {
                [(0, 1.0 / 4.6), (2, -7.5 / 4.6)].iter().for_each(|(at, f)| half(*at, scale * f))
            }
            GgmlType::Q5_1 => {
                [(0, 1.0 / 9.2), (2, -15.5 / 9.2)].iter().for_each(|(at, f)| half(*at, scale * f))
            }
            GgmlType::Q4K => {
                [(0, 1.0 / 250.0), (2, 7.5 / 250.0)].iter().for_each(|(at, f)| half(*at, scale * f))
            }
            GgmlType::Q5K => {
                [(0, 1.0 / 500.0), (2, 15.5 / 500.0)].iter().for_each(|(at, f)| half(*at, scale * f))
            }
            GgmlType::Q2K => [(80, 0.1), (82, 0.15)].iter().for_each(|(at, f)| half(*at, scale * f)),
            GgmlType::Q3K => half(108, scale / 42.0),
            GgmlType::Q6K => half(208, scale / 1370.0),
            GgmlType::IQ4XS => half(0, scale / 1300.0),
        }
    }
}

/// splitmix64.
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

    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&self.next().to_le_bytes()[..part.len()]));
    }
}
