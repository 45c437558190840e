// SPDX-License-Identifier: MIT
//! Any text comes back from every pre-tokenizer, and any tokens decode to UTF-8. The first byte chooses.
#![no_main]

use inference_gguf::{Gguf, Writer};
use inference_tokenizer::Tokenizer;
use libfuzzer_sys::fuzz_target;

const PRE: [&str; 16] = [
    "gpt-2",
    "llama-bpe",
    "qwen2",
    "qwen35",
    "smollm",
    "tekken",
    "gpt-4o",
    "deepseek-llm",
    "deepseek-coder",
    "deepseek-v3",
    "falcon",
    "viking",
    "bloom",
    "seed-coder",
    "minicpm5",
    "default",
];

/// The bytes in GPT-2's alphabet and a few merges.
fn vocabulary(pre: &str) -> Vec<u8> {
    let printable = |byte: &u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut tokens: Vec<String> =
        (0..256).filter(printable).chain(256..324).map(|c| char::from_u32(c).unwrap().into()).collect();
    let mut merges = Vec::new();
    for (left, right) in [("a", "a"), ("Ġ", "a"), ("aa", "aa"), ("Ġ", "Ġ"), ("1", "1"), ("Ã", "©")] {
        merges.push(format!("{left} {right}"));
        tokens.push(format!("{left}{right}"));
    }
    let mut writer = Writer::new();
    writer.str("tokenizer.ggml.model", "gpt2").str("tokenizer.ggml.pre", pre);
    writer.strings("tokenizer.ggml.tokens", &tokens).strings("tokenizer.ggml.merges", &merges);
    writer.u32("tokenizer.ggml.bos_token_id", 0);
    writer.file(&[])
}

fuzz_target!(|input: (u8, String)| {
    let (choice, text) = input;
    let file = vocabulary(PRE[usize::from(choice) % PRE.len()]);
    let gguf = Gguf::parse(&file).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let mut tokens = Vec::new();
    tokenizer.encode(&text, false, false, &mut tokens).unwrap();
    assert_eq!(tokenizer.decode(&tokens), text);
});
