// SPDX-License-Identifier: MIT
//! A tiny BERT with made-up weights, from safetensors through GGUF to an embedding.

use std::fs;
use std::path::PathBuf;

use inference_embedding::{Encoder, EncoderModel};
use inference_gguf::{GgmlType, Gguf};
use inference_kernels::Kernels;
use tools_convert::{bert, files::Files};

const WIDTH: usize = 32;
const HIDDEN: usize = 64;
const WORDS: [&str; 12] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s", "a", "b", "##b", "."];

/// Names and shapes of a BERT with one layer.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![WORDS.len(), WIDTH]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![16, WIDTH]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, WIDTH]),
    ];
    let mut linear = |name: &str, rows: usize, columns: Option<usize>| {
        let shape = columns.map_or(vec![rows], |columns| vec![rows, columns]);
        all.push((format!("{name}.weight"), shape));
        all.push((format!("{name}.bias"), vec![rows]));
    };
    linear("embeddings.LayerNorm", WIDTH, None);
    for part in ["self.query", "self.key", "self.value", "output.dense"] {
        linear(&format!("encoder.layer.0.attention.{part}"), WIDTH, Some(WIDTH));
    }
    linear("encoder.layer.0.attention.output.LayerNorm", WIDTH, None);
    linear("encoder.layer.0.intermediate.dense", HIDDEN, Some(WIDTH));
    linear("encoder.layer.0.output.dense", WIDTH, Some(HIDDEN));
    linear("encoder.layer.0.output.LayerNorm", WIDTH, None);
    all
}

fn safetensors(skip: Option<&str>) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    let mut state = 1u32;
    for (name, shape) in tensors().into_iter().filter(|(name, _)| skip != Some(name)) {
        let start = data.len();
        for _ in 0..shape.iter().product::<usize>() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = (state >> 16) as f32 / 65_536.0 - 0.5;
            data.extend_from_slice(&value.to_le_bytes());
        }
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert(name, entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

fn folder(name: &str, skip: Option<&str>) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder for the test");
    let config = serde_json::json!({"model_type": "bert", "hidden_size": WIDTH, "num_hidden_layers": 1,
        "intermediate_size": HIDDEN, "num_attention_heads": 4, "max_position_embeddings": 16,
        "layer_norm_eps": 1e-12, "hidden_act": "gelu"});
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    fs::write(folder.join("vocab.txt"), WORDS.join("\n")).expect("written");
    fs::write(folder.join("sentence_bert_config.json"), r#"{"max_seq_length": 6}"#).expect("written");
    fs::write(folder.join("model.safetensors"), safetensors(skip)).expect("written");
    folder
}

fn embed(file: &[u8], text: &str) -> (Vec<f32>, usize) {
    let gguf = Gguf::parse(file).expect("a GGUF");
    let model = EncoderModel::bind(&gguf).expect("an encoder");
    let needs = model.needs().expect("fits");
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let mut encoder =
        Encoder::new(&model, Kernels::generic(), &mut cache, &mut scratch).expect("enough memory");
    let mut out = vec![0.0; model.dims()];
    let tokens = encoder.embed(text, &mut out).expect("embedded");
    (out, tokens)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn a_converted_model_makes_embeddings() {
    let files = Files::open(&folder("whole", None)).expect("a folder");
    let exact = bert::convert(&files, "tiny", GgmlType::F32).expect("converted");
    let (reference, tokens) = embed(&exact, "Hello worlds.");
    assert_eq!(tokens, 6, "[CLS] hello world ##s . [SEP]");
    assert!((cosine(&reference, &reference) - 1.0).abs() < 1e-5);
    assert!(cosine(&reference, &embed(&exact, "a bb").0) < 0.999);
    assert_eq!(embed(&exact, &"hello ".repeat(100)).1, 6, "cut to the limit of the configuration");
    for kind in [GgmlType::F16, GgmlType::Q8_0] {
        let file = bert::convert(&files, "tiny", kind).expect("converted");
        assert!(file.len() < exact.len());
        assert!(cosine(&reference, &embed(&file, "Hello worlds.").0) > 0.999, "{kind:?}");
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let missing = "encoder.layer.0.output.dense.bias";
    let files = Files::open(&folder("part", Some(missing))).expect("a folder");
    let error = bert::convert(&files, "tiny", GgmlType::F32).expect_err("incomplete");
    assert!(format!("{error:#}").contains(missing), "{error:#}");
}

#[test]
fn what_is_no_model_is_refused() {
    let folder = folder("wrong", None);
    fs::write(folder.join("config.json"), r#"{"model_type": "llama"}"#).expect("written");
    assert!(bert::convert(&Files::open(&folder).expect("a folder"), "x", GgmlType::F32).is_err());
    assert!(Files::open(&folder.join("vocab.txt")).is_err(), "no zip file");
    assert!(Files::open(&folder.join("nothing")).is_err());
}
