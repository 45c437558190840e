// SPDX-License-Identifier: MIT
//! `cloister-model tokenize` and `generate` as a person calls them.
#[path = "../../../inference/tokenizer/tests/common/mod.rs"]
mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn call(arguments: &[&str], file: &Path, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cloister-model"))
        .arg(arguments[0])
        .arg(file)
        .args(&arguments[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success() && output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn text_becomes_tokens_and_text_again() {
    let Some(root) = common::shared("tokenizers") else { return };
    let text = "Hello, y'all! 🦙 3333\n\n  <|im_end|>\t";
    for name in ["llama-spm", "gpt-2", "qwen2"] {
        let file = root.join(format!("tokenizers/ggml-vocab-{name}.gguf"));
        let json = printed(&call(&["tokenize", "--json", "--no-bos"], &file, text));
        let words = printed(&call(&["tokenize", "--no-bos"], &file, text));
        let tokens: Value = serde_json::from_str(&json).unwrap();
        let listed: Vec<u64> = words.split_whitespace().map(|word| word.parse().unwrap()).collect();
        assert_eq!(tokens["tokens"], serde_json::json!(listed));
        assert_eq!(printed(&call(&["tokenize", "--decode"], &file, &json)), text, "{name}");
        assert_eq!(printed(&call(&["tokenize", "--decode"], &file, &words)), text, "{name}");
    }
}

#[test]
fn special_tokens_are_added_unless_told_not_to() {
    let Some(root) = common::shared("models") else { return };
    let file = root.join("models/stories/stories260K-f32.gguf");
    let once = |arguments: &[&str]| printed(&call(arguments, &file, "Once upon a time"));
    assert_eq!(once(&["tokenize", "--json"]), "{\"tokens\":[1,403,407,261,378]}\n");
    assert_eq!(once(&["tokenize", "--no-bos"]), "403 407 261 378\n");
}

#[test]
fn wrong_input_is_explained() {
    let Some(root) = common::shared("models") else { return };
    let file = root.join("models/stories/stories260K-f32.gguf");
    for (arguments, input, message) in [
        (&["tokenize", "--decode"][..], "1 two", "'two' is not a token id"),
        (&["tokenize", "--decode"], "512", "token 512 does not exist: this vocabulary has 512 tokens"),
        (&["generate", "-p", "x", "--set", "top_p=2"], "", "top_p must be a number from 0 to 1"),
        (&["generate", "-p", "x", "--set", "top_p"], "", "write --set name=value"),
        (&["generate", "-p", "x", "--chat", "--template", "x"], "", "there are chatml, llama3"),
        (&["bench", "-n", "18446744073709551615"], "", "the model's context is 512"),
        (
            &["perplexity", "-c", "8", "--chunks", "0", "--text", TEXT],
            "",
            "--chunks 0 leaves nothing to measure",
        ),
        (&["quantize", concat!(env!("CARGO_MANIFEST_DIR"), "/src"), "Q8_0"], "", "/src: Is a directory"),
    ] {
        let error = refused(&call(arguments, &file, input));
        assert!(error.starts_with("error: ") && error.contains(message), "{error}");
    }
    let error = refused(&call(&["tokenize"], Path::new("/nonexistent.gguf"), ""));
    assert!(error.contains("/nonexistent.gguf"), "{error}");
}

/// Some text.
const TEXT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs");

#[test]
fn counts_may_be_nothing_or_the_largest_number() {
    let Some(root) = common::shared("models") else { return };
    let file = root.join("models/stories/stories260K-f32.gguf");
    let none = printed(&call(&["logits", "--prompt", "x", "--steps", "0"], &file, ""));
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["cases"][0]["steps"], Value::Array(Vec::new()));
    assert_eq!(printed(&call(&["generate", "-p", "x", "-n", "0"], &file, "")), "\n");
    let most = ["generate", "-p", "x", "-n", "18446744073709551615", "--ignore-eos"];
    let words = printed(&call(&most, &file, "")).split_whitespace().count();
    assert!(words > 50, "the context has room for 512 tokens, not for {words} words");
}

#[test]
fn a_prompt_is_continued_with_the_golden_text() {
    let Some(root) = common::shared("golden") else { return };
    let file = root.join("models/stories/stories260K-f32.gguf");
    let golden: Value =
        serde_json::from_slice(&common::read(&root.join("golden/stories260K-f32.json"))).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let steps = case["steps"].as_array().unwrap().len().to_string();
        let prompt = case["prompt"].as_str().unwrap();
        let answer = call(&["generate", "-n", &steps, "--set", "temperature=0"], &file, prompt);
        assert_eq!(
            printed(&answer).trim_end_matches('\n'),
            case["text"].as_str().unwrap().trim_end_matches('\n')
        );
        let logits = printed(&call(&["logits", "--prompt", prompt, "--steps", &steps], &file, ""));
        let logits: Value = serde_json::from_str(&logits).unwrap();
        for key in ["prompt", "prompt_tokens", "text"] {
            assert_eq!(logits["cases"][0][key], case[key]);
        }
    }
}

#[test]
fn a_grammar_is_followed_and_a_seed_repeats() {
    let Some(root) = common::shared("models") else { return };
    let file = root.join("models/stories/stories3M-q8_0.gguf");
    let grammar = std::env::temp_dir().join(format!("cloister-{}.gbnf", std::process::id()));
    std::fs::write(&grammar, "root ::= (\"The \" [a-z]{3} \" is \" (\"red\" | \"blue\") \". \"){2}").unwrap();
    let arguments = ["generate", "-p", "Colours:", "--set", "seed=7", "--grammar", grammar.to_str().unwrap()];
    let answers = [(); 2].map(|()| printed(&call(&arguments, &file, "")));
    std::fs::remove_file(&grammar).unwrap();
    assert_eq!(answers[0], answers[1]);
    let words: Vec<&str> = answers[0].split_whitespace().collect();
    assert_eq!((words.len(), words[0], words[2], words[4]), (8, "The", "is", "The"), "{words:?}");
}
