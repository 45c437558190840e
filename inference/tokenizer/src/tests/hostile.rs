// SPDX-License-Identifier: MIT
//! Vocabularies that are wrong in one way each are refused by an error that names it.

use super::*;
use crate::Name;

#[test]
fn unknown_algorithms_and_pre_tokenizers_are_refused_by_name() {
    let t5 = Draft { model: "t5", ..Draft::spm() };
    assert_eq!(t5.error(), TokenizerError::UnknownModel(Name::new("t5")));
    let error = Draft::bpe("klingon").error();
    assert_eq!(error, TokenizerError::UnknownPreTokenizer(Name::new("klingon")));
    assert!(error.to_string().contains("'klingon'"), "{error}");
}

#[test]
fn missing_keys_are_named() {
    let mut writer = Writer::new();
    writer.str("tokenizer.ggml.model", "llama");
    let file = writer.file(&[]);
    let error = Tokenizer::from_gguf(&Gguf::parse(&file).unwrap()).unwrap_err();
    assert!(error.to_string().contains("tokenizer.ggml.tokens"), "{error}");
}

#[test]
fn arrays_of_other_types_are_named() {
    let mut writer = Writer::new();
    writer.str("tokenizer.ggml.model", "llama").f32s("tokenizer.ggml.tokens", &[1.0]);
    let file = writer.file(&[]);
    let error = Tokenizer::from_gguf(&Gguf::parse(&file).unwrap()).unwrap_err();
    assert_eq!(error, TokenizerError::WrongElements("tokenizer.ggml.tokens"));
}

#[test]
fn arrays_shorter_than_the_tokens_are_named() {
    let mut draft = Draft::spm();
    draft.scores.pop();
    let (expected, found) = (draft.tokens.len(), draft.scores.len());
    let key = "tokenizer.ggml.scores";
    assert_eq!(draft.error(), TokenizerError::TooFewElements { key, expected, found });
    let mut draft = Draft::spm();
    draft.kinds.clear();
    let key = "tokenizer.ggml.token_type";
    assert_eq!(draft.error(), TokenizerError::TooFewElements { key, expected, found: 0 });
}

#[test]
fn duplicate_tokens_are_named() {
    let mut draft = Draft::spm();
    let second = draft.tokens.len() as u32;
    draft.token("<s>", 0.0, NORMAL);
    assert_eq!(draft.error(), TokenizerError::DuplicateToken { first: 1, second });
}

/// As in llama.cpp, which loads such vocabularies: nothing ever becomes an empty token, and it shows nothing.
#[test]
fn empty_tokens_are_harmless() {
    let mut draft = Draft::spm();
    draft.token("", 0.0, NORMAL).token("", 0.0, CONTROL);
    let last = draft.tokens.len() as u32 - 1;
    draft.with(|tokenizer| {
        assert_eq!(tokenizer.decode(&encode(tokenizer, "aa b")), "aa b");
        assert_eq!(tokenizer.decode(&[last - 1, last]), "");
    });
}

#[test]
fn scores_that_are_no_numbers_are_named() {
    let mut draft = Draft::spm();
    draft.scores[7] = f32::NAN;
    assert_eq!(draft.error(), TokenizerError::ScoreNotANumber { id: 7 });
    draft.scores[7] = f32::INFINITY;
    draft.with(|tokenizer| assert_eq!(tokenizer.decode(&encode(tokenizer, "aa")), "aa"));
}

#[test]
fn special_tokens_out_of_range_are_named() {
    for name in ["bos", "eos", "eot", "unknown", "padding"] {
        let mut draft = Draft::spm();
        let (key, tokens) = (key_of(name), draft.tokens.len() as u32);
        draft.ids.push((key, tokens));
        assert_eq!(draft.error(), TokenizerError::TokenOutOfRange { key, id: tokens, tokens });
    }
}

#[test]
fn a_token_to_add_must_be_named() {
    let mut draft = Draft::bpe("gpt-2");
    draft.ids.clear();
    draft.flags.push(("tokenizer.ggml.add_bos_token", true));
    assert_eq!(draft.error(), TokenizerError::NoSuchSpecialToken("tokenizer.ggml.add_bos_token"));
}

#[test]
fn malformed_and_unknown_merges_are_named() {
    for text in ["", " ", "a", "a ", " a", "aa"] {
        let mut draft = Draft::bpe("gpt-2");
        draft.merges.insert(3, text.into());
        assert_eq!(draft.error(), TokenizerError::MalformedMerge { merge: 3 }, "{text:?}");
    }
    for text in ["a zz", "zz a", "a b c"] {
        let mut draft = Draft::bpe("gpt-2");
        draft.merges.insert(3, text.into());
        assert_eq!(draft.error(), TokenizerError::MergeOfUnknownToken { merge: 3 }, "{text:?}");
    }
}

/// The pair is a pair of tokens, but joined they are none: the merge cannot happen.
#[test]
fn merges_into_nothing_do_not_happen() {
    let mut draft = Draft::bpe("gpt-2");
    draft.merges.insert(0, "a b".into());
    draft.merges.push("a a".into());
    draft.with(|tokenizer| assert_eq!(tokenizer.decode(&encode(tokenizer, "abaab")), "abaab"));
}

#[test]
fn colliding_texts_are_refused() {
    // Texts whose hashes agree in the low bits, found by trying.
    let slots = 1024;
    let mut draft = Draft { model: "llama", ..Draft::default() };
    let mut candidate = 0u32;
    while draft.tokens.len() < 600 {
        let text = format!("{candidate:x}");
        if crate::index::hash(text.as_bytes(), &[]).is_multiple_of(slots) {
            draft.token(text, 0.0, NORMAL);
        }
        candidate += 1;
    }
    assert_eq!(draft.error(), TokenizerError::CollidingTokens);
}

#[test]
fn a_vocabulary_without_tokens_says_so_when_used() {
    let draft = Draft { model: "llama", ..Draft::default() };
    assert_eq!(draft.error(), TokenizerError::NoSuchSpecialToken("tokenizer.ggml.add_bos_token"));
}

#[test]
fn bytes_that_cannot_be_written_are_an_error_or_unknown() {
    let mut draft = Draft { model: "llama", ..Draft::default() };
    draft.token("a", 0.0, NORMAL).flags.push(("tokenizer.ggml.add_bos_token", false));
    draft.flags.push(("tokenizer.ggml.add_space_prefix", false));
    draft.kinds[0] = UNKNOWN;
    draft.with(|tokenizer| assert_eq!(encode(tokenizer, "b"), [0], "id 0 is the unknown token by default"));
}

#[test]
fn ids_that_do_not_exist_decode_to_nothing() {
    for draft in [Draft::spm(), Draft::bpe("gpt-2"), Draft::wpm()] {
        draft.with(|tokenizer| {
            assert_eq!(tokenizer.decode(&[u32::MAX, tokenizer.len(), u32::MAX - 1]), "");
            assert_eq!(tokenizer.text(u32::MAX), "");
            assert!(!tokenizer.is_end(u32::MAX));
        });
    }
}

#[test]
fn byte_tokens_with_odd_names_decode_to_nothing() {
    let mut draft = Draft::spm();
    let first = draft.tokens.len() as u32;
    for name in ["<0x>", "<0xGG>", "<0x100>", "0x41", "<", "<0x+1>"] {
        draft.token(name, 0.0, BYTE);
    }
    draft.with(|tokenizer| {
        let text = tokenizer.decode(&[first, first + 1, first + 2, first + 3, first + 4]);
        assert_eq!(text, "");
    });
}
