// SPDX-License-Identifier: MIT
//! Any text comes back from every pre-tokenizer, and any tokens decode to UTF-8. The first byte chooses.
#![no_main]

use std::sync::LazyLock;

use inference_gguf::{Gguf, Writer};
use inference_tokenizer::Tokenizer;
use libfuzzer_sys::fuzz_target;

const PRE: [&str; 17] = [
    "gpt-2",
    "gemma4",
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
    let mut kinds = vec![1; tokens.len()];
    // Raw merges write what is no token as bytes.
    if pre == "gemma4" {
        tokens = ["▁", "a", "aa", "\n", "\n\n"].map(String::from).to_vec();
        tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
        kinds = [1; 5].into_iter().chain([6; 256]).collect();
        merges = vec!["a a".into()];
    }
    writer.str("tokenizer.ggml.model", "gpt2").str("tokenizer.ggml.pre", pre);
    writer.strings("tokenizer.ggml.tokens", &tokens).strings("tokenizer.ggml.merges", &merges);
    writer.i32s("tokenizer.ggml.token_type", &kinds).u32("tokenizer.ggml.bos_token_id", 0);
    writer.file(&[])
}

/// One per pre-tokenizer, made once: building a vocabulary takes a hundred times as long as encoding a text.
static TOKENIZERS: LazyLock<Vec<Tokenizer<'static>>> = LazyLock::new(|| {
    let tokenizer = |pre: &&str| {
        let file: &'static [u8] = Vec::leak(vocabulary(pre));
        let gguf: &'static Gguf<'static> = Box::leak(Box::new(Gguf::parse(file).unwrap()));
        Tokenizer::from_gguf(gguf).unwrap()
    };
    PRE.iter().map(tokenizer).collect()
});

fuzz_target!(|input: (u8, String)| {
    let (choice, text) = input;
    let choice = usize::from(choice) % PRE.len();
    let (pre, tokenizer) = (PRE[choice], &TOKENIZERS[choice]);
    // Raw vocabularies cannot tell U+2581 from a space.
    let text = if pre == "gemma4" { text.replace('\u{2581}', "_") } else { text };
    let mut tokens = Vec::new();
    tokenizer.encode(&text, false, false, &mut tokens).unwrap();
    assert_eq!(tokenizer.decode(&tokens), text);
});
