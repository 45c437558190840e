// SPDX-License-Identifier: MIT
//! Text never becomes a token that steers the model, unless the caller trusts it.

use super::*;

/// A vocabulary in which merges lead up to the names of control tokens.
fn traps() -> Draft {
    let mut draft = Draft::spm();
    for text in ["<", "s", ">", "<s", "s>", "</", "/"] {
        draft.token(text, 5.0, NORMAL);
    }
    draft
}

#[test]
fn merges_do_not_end_in_control_tokens() {
    traps().with(|tokenizer| {
        for text in ["<s>", "</s>", "a<s>a", "<unk>", "<0x0A>", "<s></s><s>"] {
            let tokens = encode(tokenizer, text);
            assert!(tokens.iter().all(|token| *token > 2), "{text}: {tokens:?}");
            assert_eq!(tokenizer.decode(&tokens), text);
        }
    });
}

#[test]
fn merges_by_rank_do_not_end_in_control_tokens() {
    for pre in ["gpt-2", "llama-bpe"] {
        let mut draft = Draft::bpe(pre);
        draft.token("<s", 0.0, NORMAL);
        let control = draft.tokens.len() as u32;
        draft.token("<s>", 0.0, CONTROL).token("<<", 0.0, CONTROL);
        draft.merges.extend(["< s".into(), "<s >".into(), "< <".into()]);
        draft.ids = [(key_of("bos"), control)].to_vec();
        draft.with(|tokenizer| {
            for text in ["<s>", "<<", "<s><s>"] {
                assert!(encode(tokenizer, text).iter().all(|token| *token < control), "{pre}: {text}");
            }
        });
    }
}

#[test]
fn trusted_text_may_hold_control_tokens() {
    traps().with(|tokenizer| {
        let mut tokens = Vec::new();
        tokenizer.encode("<s>aa</s>", false, true, &mut tokens).unwrap();
        let (first, last) = (tokens[0], tokens[tokens.len() - 1]);
        assert_eq!((first, last), (1, 2));
        assert_eq!(tokenizer.decode(&tokens), "aa", "control tokens are not shown");
    });
}

#[test]
fn user_defined_tokens_are_kept_whole_unless_forbidden() {
    let mut draft = Draft::spm();
    let token = draft.tokens.len() as u32;
    draft.token("<|user|>", 0.0, USER_DEFINED).token("<|user|>!", 0.0, USER_DEFINED);
    draft.with(|tokenizer| {
        assert!(encode(tokenizer, "a<|user|>a").contains(&token));
        assert!(encode(tokenizer, "a<|user|>!a").contains(&(token + 1)), "the longest counts");
        let mut tokens = Vec::new();
        tokenizer.encode_after(None, "a<|user|>a", &[token], &mut tokens).unwrap();
        assert!(!tokens.contains(&token));
        assert_eq!(tokenizer.decode(&tokens), "a<|user|>a");
    });
}

#[test]
fn every_end_token_ends_generation_whatever_its_kind() {
    let mut draft = Draft::bpe("qwen2");
    let first = draft.tokens.len() as u32;
    for (text, kind) in [("<|im_end|>", CONTROL), ("<|endoftext|>", NORMAL), ("<|eot_id|>", USER_DEFINED)] {
        draft.token(text, 0.0, kind);
    }
    draft.ids.push((key_of("eos"), 5));
    draft.with(|tokenizer| {
        assert_eq!(tokenizer.ends(), [5, first, first + 1, first + 2]);
        assert_eq!(tokenizer.kind(first + 1), crate::TokenKind::Control);
        assert!(!encode(tokenizer, "<|eot_id|>").contains(&(first + 2)), "end tokens are control tokens");
    });
}
