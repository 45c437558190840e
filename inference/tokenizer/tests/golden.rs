// SPDX-License-Identifier: MIT
//! The ids equal llama.cpp's on its own test texts and on the prompts of the golden files, and decode restores.
mod common;

use common::{read, shared};
use inference_gguf::Gguf;
use inference_tokenizer::Tokenizer;
use serde_json::Value;

fn check_prompts(model: &str, golden: &str) {
    let Some(root) = shared() else { return };
    let bytes = read(&root.join("models").join(model));
    let gguf = Gguf::parse(&bytes).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let golden: Value =
        serde_json::from_str(&String::from_utf8_lossy(&read(&root.join("golden").join(golden)))).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let prompt = case["prompt"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(case["prompt_tokens"].clone()).unwrap();
        let mut tokens = Vec::new();
        tokenizer.encode(prompt, true, true, &mut tokens).unwrap();
        assert_eq!(tokens, expected, "{model}: {prompt:?}");
        assert_eq!(tokenizer.decode(&tokens), prompt);
        check_generated(&tokenizer, case);
    }
}

/// The generated tokens, streamed, give the golden text.
fn check_generated(tokenizer: &Tokenizer<'_>, case: &Value) {
    let Some(expected) = case["text"].as_str() else { return };
    let (mut decoder, mut text) = (inference_tokenizer::Decoder::new(), String::new());
    for step in case["steps"].as_array().unwrap() {
        let token = step["token"].as_u64().unwrap() as u32;
        decoder.push(tokenizer, token, &mut text);
    }
    decoder.finish(&mut text);
    assert_eq!(text, expected);
}

#[test]
fn stories_prompts_give_golden_tokens_and_texts() {
    for name in ["stories260K-f32", "stories260K-q8_0", "stories3M-f16", "stories3M-q4_0", "stories3M-q8_0"] {
        check_prompts(&format!("stories/{name}.gguf"), &format!("{name}.json"));
    }
}

/// llama.cpp's test texts for one vocabulary, each with the ids that it gives.
fn check_vocabulary(name: &str) {
    let Some(root) = shared() else { return };
    let file = root.join("tokenizers").join(name);
    let with = |ending: &str| String::from_utf8(read(&file.with_extension(ending))).unwrap();
    let (texts, ids) = (with("gguf.inp"), with("gguf.out"));
    let bytes = read(&file);
    let gguf = Gguf::parse(&bytes).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let texts = texts.strip_suffix("\n__ggml_vocab_test__\n").unwrap();
    let texts: Vec<&str> = texts.split("\n__ggml_vocab_test__\n").collect();
    for (text, line) in texts.iter().zip(ids.lines()) {
        let expected: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        let mut tokens = Vec::new();
        tokenizer.encode(text, false, false, &mut tokens).unwrap();
        assert_eq!(tokens, expected, "{name}: {text:?}");
        if tokenizer.model() != inference_tokenizer::Model::Wpm {
            assert_eq!(&tokenizer.decode(&tokens), text, "{name}");
        }
    }
    assert_eq!(texts.len(), ids.lines().count(), "{name}: as many texts as lines of ids");
}

#[test]
fn spm_ids_equal_llama_cpps() {
    check_vocabulary("ggml-vocab-llama-spm.gguf");
    check_vocabulary("ggml-vocab-phi-3.gguf");
}

#[test]
fn bpe_ids_equal_llama_cpps() {
    for name in ["gpt-2", "llama-bpe", "qwen2", "starcoder"] {
        check_vocabulary(&format!("ggml-vocab-{name}.gguf"));
    }
}

#[test]
fn prompts_of_the_tiny_models_give_golden_tokens() {
    let Some(root) = shared() else { return };
    for folder in ["architectures", "quants"] {
        for entry in std::fs::read_dir(root.join("models").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            check_prompts(&format!("{folder}/{name}"), &name.replace(".gguf", ".json"));
        }
    }
}

#[test]
fn wordpiece_ids_equal_llama_cpps() {
    check_vocabulary("ggml-vocab-bert-bge.gguf");
}

#[test]
fn wordpiece_ids_equal_minilms() {
    let Some(root) = shared() else { return };
    let bytes = read(&root.join("tokenizers/ggml-vocab-bert-bge.gguf"));
    let gguf = Gguf::parse(&bytes).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let golden: Value = serde_json::from_slice(&read(&root.join("golden/minilm.json"))).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let expected: Vec<u32> = serde_json::from_value(case["tokens"].clone()).unwrap();
        let mut tokens = Vec::new();
        tokenizer.encode(case["text"].as_str().unwrap(), true, false, &mut tokens).unwrap();
        // The model sees 256 tokens at most.
        tokenizer.truncate(&mut tokens, 256);
        assert_eq!(tokens, expected, "{}", case["text"]);
    }
}
