// SPDX-License-Identifier: MIT
//! BERT encoders for sentence embeddings: `config.json`, `vocab.txt` and `model.safetensors` to one GGUF.
//!
//! Names and metadata are those that llama.cpp's converter writes (see its `BertModel`), so either program reads the file.
//! The vocabulary is stored inverted, as there: `##x` becomes `x`, a word `▁word`.
use anyhow::{Context, Result, ensure};
use inference_gguf::{GgmlType, ValueType, Writer};
use serde::Deserialize;

use crate::encode::encode;
use crate::files::Files;
use crate::safetensors::SafeTensors;

/// Metadata key: tokens that the embedding was trained to read; longer texts are cut.
pub const MAX_TOKENS_KEY: &str = "cloister.embedding.max_tokens";
/// Kinds of tokens in GGUF.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
/// `general.file_type` of llama.cpp.
const FILE_TYPES: [(GgmlType, u32); 3] = [(GgmlType::F32, 0), (GgmlType::F16, 1), (GgmlType::Q8_0, 7)];

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: u32,
    num_hidden_layers: u32,
    intermediate_size: u32,
    num_attention_heads: u32,
    max_position_embeddings: u32,
    layer_norm_eps: f32,
    hidden_act: String,
}

#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: u32,
}

/// (name in GGUF, name in safetensors) of a layer.
const LAYER: [(&str, &str); 8] = [
    ("attn_q", "attention.self.query"),
    ("attn_k", "attention.self.key"),
    ("attn_v", "attention.self.value"),
    ("attn_output", "attention.output.dense"),
    ("attn_output_norm", "attention.output.LayerNorm"),
    ("ffn_up", "intermediate.dense"),
    ("ffn_down", "output.dense"),
    ("layer_output_norm", "output.LayerNorm"),
];

/// Converts a model; matrices get type `kind`, vectors and the small tables F32.
///
/// # Errors
/// A file or tensor that is missing, another architecture or activation, shapes that contradict the configuration.
pub fn convert(files: &Files, name: &str, kind: GgmlType) -> Result<Vec<u8>> {
    let config: Config = serde_json::from_slice(&files.require("config.json")?).context("config.json")?;
    ensure!(config.model_type == "bert", "model_type is {}, only bert is converted here", config.model_type);
    ensure!(config.hidden_act == "gelu", "hidden_act is {}, only gelu is computed", config.hidden_act);
    let vocabulary = String::from_utf8(files.require("vocab.txt")?).context("vocab.txt is no UTF-8")?;
    let sentence = files.read("sentence_bert_config.json")?;
    let sentence: Option<SentenceConfig> = sentence.as_deref().map(serde_json::from_slice).transpose()?;
    let mut writer = Writer::new();
    write_hyperparameters(&mut writer, name, &config, kind);
    let limit = sentence.map_or(config.max_position_embeddings, |sentence| sentence.max_seq_length);
    writer.u32(MAX_TOKENS_KEY, limit.min(config.max_position_embeddings));
    write_vocabulary(&mut writer, &vocabulary)?;
    let weights = files.require("model.safetensors")?;
    let tensors = SafeTensors::parse(&weights).context("model.safetensors")?;
    let data = write_tensors(&mut writer, &tensors, &config, kind)?;
    Ok(writer.file(&data.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

fn write_hyperparameters(writer: &mut Writer, name: &str, config: &Config, kind: GgmlType) {
    let file_type = FILE_TYPES.iter().find(|(other, _)| *other == kind).map_or(0, |(_, number)| *number);
    writer
        .str("general.architecture", "bert")
        .str("general.name", name)
        .u32("general.file_type", file_type)
        .u32("bert.context_length", config.max_position_embeddings)
        .u32("bert.embedding_length", config.hidden_size)
        .u32("bert.feed_forward_length", config.intermediate_size)
        .u32("bert.block_count", config.num_hidden_layers)
        .u32("bert.attention.head_count", config.num_attention_heads)
        .f32("bert.attention.layer_norm_epsilon", config.layer_norm_eps)
        .bool("bert.attention.causal", false)
        .u32("bert.pooling_type", 1);
}

/// One line of `vocab.txt` as GGUF stores it.
fn stored_token(token: &str) -> (String, i32) {
    if token.starts_with('[') && token.ends_with(']') {
        return (token.to_owned(), CONTROL);
    }
    match token.strip_prefix("##") {
        Some(continuation) => (continuation.to_owned(), NORMAL),
        None => (format!("\u{2581}{token}"), NORMAL),
    }
}

fn write_vocabulary(writer: &mut Writer, vocabulary: &str) -> Result<()> {
    let lines: Vec<&str> = vocabulary.lines().collect();
    let id = |token: &str| {
        let found = lines.iter().position(|line| *line == token);
        found.map(|id| id as u32).with_context(|| format!("vocab.txt has no {token}"))
    };
    let (tokens, kinds): (Vec<String>, Vec<i32>) = lines.iter().map(|line| stored_token(line)).unzip();
    let ids = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"].map(id);
    let [unknown, separator, padding, class, mask] = ids;
    let kind_bytes: Vec<u8> = kinds.iter().flat_map(|kind| kind.to_le_bytes()).collect();
    writer
        .str("tokenizer.ggml.model", "bert")
        .str("tokenizer.ggml.pre", "default")
        .u32("tokenizer.ggml.token_type_count", 2)
        .strings("tokenizer.ggml.tokens", &tokens)
        .array("tokenizer.ggml.token_type", ValueType::I32, kinds.len() as u64, &kind_bytes)
        .u32("tokenizer.ggml.unknown_token_id", unknown?)
        .u32("tokenizer.ggml.seperator_token_id", separator?)
        .u32("tokenizer.ggml.padding_token_id", padding?)
        .u32("tokenizer.ggml.mask_token_id", mask?);
    let class = class?;
    writer.u32("tokenizer.ggml.cls_token_id", class).u32("tokenizer.ggml.bos_token_id", class);
    Ok(())
}

/// Declares all tensors and returns their data in the same order.
fn write_tensors(
    writer: &mut Writer,
    tensors: &SafeTensors<'_>,
    config: &Config,
    kind: GgmlType,
) -> Result<Vec<Vec<u8>>> {
    let prefix = if tensors.names().any(|name| name.starts_with("bert.")) { "bert." } else { "" };
    let mut data = Vec::new();
    let mut write = |target: String, source: String, kind| -> Result<()> {
        let tensor = tensors.tensor(&format!("{prefix}{source}"))?;
        ensure!((1..=2).contains(&tensor.shape.len()), "tensor {source} has shape {:?}", tensor.shape);
        let width = tensor.shape[tensor.shape.len() - 1];
        let blocks_fit = width.is_multiple_of(kind_block(kind));
        let kind = if tensor.shape.len() == 1 || !blocks_fit { GgmlType::F32 } else { kind };
        let dims: Vec<u64> = tensor.shape.iter().rev().copied().collect();
        writer.tensor(&target, &dims, kind);
        data.push(encode(kind, &tensor.values)?);
        Ok(())
    };
    let table = |name: &str| format!("embeddings.{name}.weight");
    write("token_embd.weight".into(), table("word_embeddings"), kind)?;
    write("position_embd.weight".into(), table("position_embeddings"), GgmlType::F32)?;
    write("token_types.weight".into(), table("token_type_embeddings"), GgmlType::F32)?;
    for part in ["weight", "bias"] {
        write(format!("token_embd_norm.{part}"), format!("embeddings.LayerNorm.{part}"), GgmlType::F32)?;
    }
    for layer in 0..config.num_hidden_layers {
        for (target, source) in LAYER {
            for part in ["weight", "bias"] {
                let source = format!("encoder.layer.{layer}.{source}.{part}");
                write(format!("blk.{layer}.{target}.{part}"), source, kind)?;
            }
        }
    }
    Ok(data)
}

fn kind_block(kind: GgmlType) -> u64 {
    kind.block_len() as u64
}
