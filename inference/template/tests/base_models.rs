// SPDX-License-Identifier: MIT
//! Base models without a template: the prompt alone, as in the golden files.
#[path = "../../tokenizer/tests/common/mod.rs"]
mod common;

use inference_gguf::Gguf;
use inference_template::{Family, Message, Role, encode, recognise, render};
use inference_tokenizer::Tokenizer;

#[test]
fn a_stories_prompt_is_bos_and_the_text() {
    let Some(root) = common::shared("tokenizers") else { return };
    let bytes = common::read(&root.join("models/stories/stories260K-f32.gguf"));
    let gguf = Gguf::parse(&bytes).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let family = recognise(gguf.str("tokenizer.chat_template").unwrap()).unwrap();
    assert_eq!(family, Family::None);
    let (mut segments, mut tokens) = (Vec::new(), Vec::new());
    let message = Message { role: Role::User, text: "Once upon a time" };
    render(family, &[message], true, &mut segments).unwrap();
    encode(&tokenizer, family, &segments, &mut tokens).unwrap();
    assert_eq!(tokens, [1, 403, 407, 261, 378]);
    assert!(family.stops(&tokenizer, 1) && family.stops(&tokenizer, 2) && !family.stops(&tokenizer, 403));
}
