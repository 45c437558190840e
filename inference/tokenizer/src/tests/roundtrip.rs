// SPDX-License-Identifier: MIT
//! Decoding restores what was encoded, and nothing panics.

use super::*;
use crate::Decoder;
use proptest::prelude::*;

/// U+2581 stands for a space in SentencePiece vocabularies and cannot be told from one.
fn without_escape(text: &str) -> String {
    text.replace('\u{2581}', "_")
}

const PRE: [&str; 14] = [
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
    "seed-coder",
    "default",
];

/// Letters, cases, digits, marks, spaces and punctuation in close company.
const DENSE: &str = "([aAéÉ1١'! \n\r\tſ一ᄒ́/.]|'s|'LL|\u{a0}|\u{85}|  ){0,40}";

proptest! {
    #[test]
    fn spm_restores_any_text(text: String) {
        let text = without_escape(&text);
        Draft::spm().with(|tokenizer| assert_eq!(tokenizer.decode(&encode(tokenizer, &text)), text));
    }

    #[test]
    fn bpe_restores_any_text(text: String, dense in DENSE) {
        for pre in PRE {
            Draft::bpe(pre).with(|tokenizer| {
                assert_eq!(tokenizer.decode(&encode(tokenizer, &text)), text, "{pre}");
                assert_eq!(tokenizer.decode(&encode(tokenizer, &dense)), dense, "{pre}");
            });
        }
    }

    #[test]
    fn wordpiece_takes_any_text(text: String, dense in DENSE) {
        Draft::wpm().with(|tokenizer| { encode(tokenizer, &text); encode(tokenizer, &dense); });
    }

    #[test]
    fn any_tokens_decode_to_text_piece_by_piece_as_at_once(tokens in prop::collection::vec(0u32..600, 0..50)) {
        for draft in [Draft::spm(), Draft::bpe("gpt-2")] {
            draft.with(|tokenizer| {
                let (mut decoder, mut streamed) = (Decoder::new(), String::new());
                for token in &tokens {
                    decoder.push(tokenizer, *token, &mut streamed);
                }
                decoder.finish(&mut streamed);
                let mut bytes = Vec::new();
                tokens.iter().for_each(|token| tokenizer.append_piece(*token, false, &mut bytes));
                assert_eq!(streamed, String::from_utf8_lossy(&bytes));
            });
        }
    }

    #[test]
    fn any_file_is_a_vocabulary_or_an_error(
        at in 0usize..4000, byte: u8, model in 0usize..3, cut in 0usize..6000,
    ) {
        let mut file = [Draft::spm(), Draft::bpe("llama-bpe"), Draft::wpm()][model].file();
        if let Some(target) = file.get_mut(at) {
            *target = byte;
        }
        file.truncate(cut.max(file.len() / 2));
        let Ok(gguf) = Gguf::parse(&file) else { return Ok(()) };
        if let Ok(tokenizer) = Tokenizer::from_gguf(&gguf) {
            let mut tokens = Vec::new();
            let _ = tokenizer.encode("aaa  <s>1!é", true, true, &mut tokens);
            let _ = tokenizer.decode(&tokens);
        }
    }
}

#[test]
fn a_character_is_held_until_it_is_whole() {
    Draft::spm().with(|tokenizer| {
        let (mut decoder, mut text) = (Decoder::new(), String::new());
        let bytes = "é🦙".bytes().map(|byte| u32::from(byte) + 3);
        let lengths: Vec<usize> = bytes
            .map(|token| {
                decoder.push(tokenizer, token, &mut text);
                text.len()
            })
            .collect();
        assert_eq!((text.as_str(), lengths.as_slice()), ("é🦙", &[0, 2, 2, 2, 2, 6][..]));
        decoder.push(tokenizer, 3 + 0xf0, &mut text);
        decoder.finish(&mut text);
        assert_eq!(text, "é🦙\u{fffd}");
    });
}

#[test]
fn wordpiece_normalises_as_bert_does() {
    Draft::wpm().with(|tokenizer| {
        let check = |text: &str, expected: &[u32]| assert_eq!(encode(tokenizer, text), expected, "{text}");
        check("AB ab", &[6, 6]);
        check("ÁB", &[6]);
        check("aab", &[4, 7]);
        check("a!一a", &[4, 12, 13, 4]);
        check("한", &[9, 10, 11]);
        check("xyz", &[1]);
        check(&"a".repeat(101), &[1]);
        check("\u{0}a\u{200b}\u{fffd}b", &[6]);
        let mut tokens = Vec::new();
        tokenizer.encode("a", true, false, &mut tokens).unwrap();
        assert_eq!(tokens, [2, 4, 3]);
        assert_eq!(tokenizer.decode(&[6, 5, 4]), "aba a");
    });
}
