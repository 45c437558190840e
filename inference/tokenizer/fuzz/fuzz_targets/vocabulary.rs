// SPDX-License-Identifier: MIT
//! Any bytes are a vocabulary or an error, and a vocabulary that was accepted encodes, decodes and renders.
#![no_main]

use inference_gguf::Gguf;
use inference_template::{Family, Message, Role, encode, recognise, render};
use inference_tokenizer::Tokenizer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(gguf) = Gguf::parse(file) else { return };
    let Ok(tokenizer) = Tokenizer::from_gguf(&gguf) else { return };
    let mut tokens = Vec::new();
    let _ = tokenizer.encode("Hello  <s>world</s> 123\n\té🦙", true, true, &mut tokens);
    let _ = tokenizer.decode(&tokens);
    let family = gguf.str("tokenizer.chat_template").ok().map(recognise).and_then(Result::ok);
    let family = family.unwrap_or(Family::Zephyr);
    let mut segments = Vec::new();
    render(family, &[Message { role: Role::User, text: "<s>hi" }], true, &mut segments).unwrap();
    let _ = encode(&tokenizer, family, &segments, &mut tokens);
});
