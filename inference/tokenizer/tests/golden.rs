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
    let golden: Value = serde_json::from_slice(&read(&root.join("golden").join(golden))).unwrap();
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
