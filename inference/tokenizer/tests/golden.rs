// SPDX-License-Identifier: MIT
//! The ids equal llama.cpp's on its own test texts and on the prompts of the golden files, and decode restores.
mod common;

use std::path::{Path, PathBuf};

use common::{read, shared};
use inference_gguf::Gguf;
use inference_tokenizer::{Decoder, Model, Tokenizer};
use serde_json::Value;

fn check_prompts(model: &str, golden: &str) {
    let Some(root) = shared("tokenizers") else { return };
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
    let (mut decoder, mut text) = (Decoder::new(), String::new());
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
fn check_vocabulary(file: &Path) {
    let name = file.display();
    let with = |ending: &str| String::from_utf8(read(&file.with_extension(ending))).unwrap();
    let (texts, ids) = (with("gguf.inp"), with("gguf.out"));
    let bytes = read(file);
    let gguf = Gguf::parse(&bytes).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap_or_else(|error| panic!("{name}: {error}"));
    // Most of these files end with a separator.
    let texts = texts.strip_suffix("\n__ggml_vocab_test__\n").unwrap_or(&texts);
    let texts: Vec<&str> = texts.split("\n__ggml_vocab_test__\n").collect();
    for (text, line) in texts.iter().zip(ids.lines()) {
        let expected: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        let mut tokens = Vec::new();
        tokenizer.encode(text, false, false, &mut tokens).unwrap();
        assert_eq!(tokens, expected, "{name}: {text:?}");
        if tokenizer.model() != Model::Wpm {
            assert_eq!(&tokenizer.decode(&tokens), text, "{name}");
        }
    }
    assert_eq!(texts.len(), ids.lines().count(), "{name}: as many texts as lines of ids");
}

/// Checks the vocabularies in `folder` that have test texts, and returns how many there are.
fn check_vocabularies(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tested = |file: &PathBuf| {
        file.extension() == Some("gguf".as_ref()) && file.with_extension("gguf.out").exists()
    };
    files.filter(tested).map(|file| check_vocabulary(&file)).count()
}

#[test]
fn ids_equal_llama_cpps() {
    let Some(root) = shared("tokenizers") else { return };
    assert!(check_vocabularies(&root.join("tokenizers")) >= 7);
}

/// More vocabularies in the same form, such as the `models` folder of llama.cpp's sources.
#[test]
fn ids_of_further_vocabularies_equal_llama_cpps() {
    match std::env::var_os("CLOISTER_VOCABULARIES") {
        Some(folder) => println!("{} vocabularies", check_vocabularies(Path::new(&folder))),
        None => println!("skipped: CLOISTER_VOCABULARIES names no folder"),
    }
}

#[test]
fn prompts_of_the_tiny_models_give_golden_tokens() {
    let Some(root) = shared("tokenizers") else { return };
    for folder in ["architectures", "quants"] {
        for entry in std::fs::read_dir(root.join("models").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            check_prompts(&format!("{folder}/{name}"), &name.replace(".gguf", ".json"));
        }
    }
}

#[test]
fn wordpiece_ids_equal_minilms() {
    let Some(root) = shared("tokenizers") else { return };
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
