// SPDX-License-Identifier: MIT
//! The work on a text grows with its length, whatever it consists of. Counted, not timed.

use super::*;

/// The work on texts of `size` and of twice that; the second may cost little more than twice the first.
fn check(draft: &Draft, what: &str, text: impl Fn(usize) -> String) {
    draft.with(|tokenizer| {
        let cost = |size| {
            let text = text(size);
            work_of(|| {
                encode(tokenizer, &text);
            })
        };
        let (small, large) = (cost(1 << 13), cost(1 << 16));
        assert!(large <= 9 * small + 1000, "{what}: {small} for 8 KiB, {large} for 64 KiB");
        assert!(large <= 400 << 16, "{what}: {large} for 64 KiB");
    });
}

fn noise(size: usize) -> String {
    let mut state = 1u64;
    let bytes: Vec<u8> = (0..size)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn one_letter_spaces_and_noise_cost_linear_work() {
    let all = [
        "gpt-2",
        "llama-bpe",
        "qwen2",
        "tekken",
        "starcoder",
        "deepseek-llm",
        "deepseek-v3",
        "bloom",
        "default",
    ];
    let mut drafts: Vec<(String, Draft)> = all.map(|pre| (pre.into(), Draft::bpe(pre))).into();
    drafts.push(("spm".into(), Draft::spm()));
    drafts.push(("wpm".into(), Draft::wpm()));
    for (name, draft) in &drafts {
        for unit in ["a", " ", "1", "!", "\n", "é", "A", "Éa", "'", " \n", "a\u{301}", "\u{0}", "한"] {
            check(draft, &format!("{name}: {unit:?}"), |size| unit.repeat(size / unit.len()));
        }
        check(draft, &format!("{name}: noise"), noise);
    }
}

#[test]
fn user_defined_runs_cost_linear_work() {
    let mut draft = Draft::spm();
    (2..30).for_each(|length| {
        draft.token("\n".repeat(length), 0.0, USER_DEFINED);
    });
    check(&draft, "runs of line breaks", |size| "\n".repeat(size));
    check(&draft, "broken runs", |size| "\n\na".repeat(size / 3));
}

#[test]
fn a_megabyte_is_encoded() {
    Draft::spm().with(|tokenizer| {
        let text = "a".repeat(1 << 20);
        let tokens = encode(tokenizer, &text);
        assert!(tokens.len() < (1 << 17));
        assert_eq!(tokenizer.decode(&tokens), text);
    });
}
