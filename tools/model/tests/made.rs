// SPDX-License-Identifier: MIT
//! `synth`, `inspect`, `bench`, `logits`, `quantize` and `perplexity` on models that the test makes itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A file that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("cloister-{}-{name}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn call(words: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cloister-model")).args(words).arg(file).output().unwrap()
}

fn printed(words: &[&str], file: &Path) -> String {
    let output = call(words, file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_made_model_runs_in_every_type() {
    for kind in ["Q4_K_M", "Q3_K_M", "Q2_K", "IQ4_XS", "Q8_0", "BF16"] {
        let file = Scratch::new(kind);
        assert!(printed(&["synth", "--shape", "tiny", "--type", kind], &file.0).starts_with("wrote "));
        assert!(printed(&["inspect"], &file.0).contains("This engine runs it: llama"));
        let json = printed(&["logits", "--prompt-tokens", "1,300,301", "--steps", "3"], &file.0);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["n_vocab"], 512);
        for step in json["cases"][0]["steps"].as_array().unwrap() {
            let size = step["logits_l2"].as_f64().unwrap();
            assert!(size.is_finite() && size > 0.1 && size < 1e4, "{kind}: {size}");
        }
    }
}

#[test]
fn a_seed_makes_the_same_file_again() {
    let files = ["a", "b", "c"].map(Scratch::new);
    for (file, seed) in files.iter().zip(["5", "5", "6"]) {
        printed(&["synth", "--shape", "tiny", "--type", "Q8_0", "--seed", seed], &file.0);
    }
    let bytes = files.each_ref().map(|file| std::fs::read(&file.0).unwrap());
    assert!(bytes[0] == bytes[1] && bytes[0] != bytes[2]);
}

#[test]
fn bench_counts_what_it_was_asked_for() {
    let file = Scratch::new("bench");
    printed(&["synth", "--shape", "tiny", "--type", "Q8_0"], &file.0);
    let json = printed(&["bench", "--json", "-t", "1,2", "-p", "16", "-n", "4", "-r", "1"], &file.0);
    let json: Value = serde_json::from_str(&json).unwrap();
    let threads: Vec<u64> = json.as_array().unwrap().iter().map(|r| r["threads"].as_u64().unwrap()).collect();
    assert_eq!(threads, [1, 2]);
    for result in json.as_array().unwrap() {
        assert_eq!((&result["prompt_tokens"], &result["generated_tokens"]), (&16.into(), &4.into()));
        assert!(result["prompt_tokens_per_s"].as_f64().unwrap() > 0.0);
        assert!(result["generated_tokens_per_s"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn what_is_not_known_is_named() {
    let file = Scratch::new("never");
    for (words, message) in [
        (
            ["synth", "--shape", "gpt-9", "--type", "Q8_0"],
            "shape `gpt-9` is not known; these are: tinyllama-1.1b",
        ),
        (["synth", "--shape", "tiny", "--type", "Q9"], "type `Q9` is not known"),
    ] {
        let output = call(&words, &file.0);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(message), "{error}");
        assert!(!file.0.exists());
    }
}

#[test]
fn a_model_is_quantised_to_every_type_and_still_says_the_same() {
    let source = Scratch::new("source");
    printed(&["synth", "--shape", "tiny", "--type", "F16"], &source.0);
    let size = |file: &Path| {
        let json = printed(&["logits", "--prompt-tokens", "1,300,301", "--steps", "1"], file);
        let json: Value = serde_json::from_str(&json).unwrap();
        json["cases"][0]["steps"][0]["logits_l2"].as_f64().unwrap()
    };
    let exact = size(&source.0);
    for (kind, bytes) in [
        ("Q8_0", 34.0 / 32.0),
        ("Q6_K", 0.83),
        ("Q5_K_M", 0.74),
        ("Q4_K_M", 0.65),
        ("Q4_0", 0.62),
        ("Q3_K_M", 0.56),
        ("Q2_K", 0.48),
        ("BF16", 2.0),
    ] {
        let out = Scratch::new(&format!("to-{kind}"));
        let output = Command::new(env!("CARGO_BIN_EXE_cloister-model"))
            .arg("quantize")
            .args([&source.0, &out.0])
            .arg(kind)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let elements = (std::fs::metadata(&source.0).unwrap().len() / 2) as f64;
        let len = std::fs::metadata(&out.0).unwrap().len() as f64;
        assert!(len < elements * bytes + 40_000.0, "{kind}: {}", len / elements);
        let found = size(&out.0);
        assert!((found / exact - 1.0).abs() < 0.5, "{kind}: {found} instead of {exact}");
    }
}

#[test]
fn a_quantization_that_fails_leaves_no_file() {
    let (source, out) = (Scratch::new("infinite"), Scratch::new("unfinished"));
    printed(&["synth", "--shape", "tiny", "--type", "F16"], &source.0);
    let mut bytes = std::fs::read(&source.0).unwrap();
    let at = bytes.len() - 2;
    bytes[at..].copy_from_slice(&0x7c00u16.to_le_bytes());
    std::fs::write(&source.0, bytes).unwrap();
    let program = env!("CARGO_BIN_EXE_cloister-model");
    let output = Command::new(program)
        .arg("quantize")
        .args([&source.0, &out.0])
        .args(["Q8_0", "-t", "3"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("is inf"), "{error}");
    assert!(!out.0.exists() && !Path::new(&format!("{}.partial", out.0.display())).exists());
}

#[test]
fn perplexity_of_random_weights_is_about_the_vocabulary() {
    let (file, text) = (Scratch::new("perplexity"), Scratch::new("text"));
    printed(&["synth", "--shape", "tiny", "--type", "Q8_0"], &file.0);
    std::fs::write(&text.0, "Anything at all will do. ".repeat(8)).unwrap();
    let words = ["perplexity", "--num-ctx", "64", "--text", text.0.to_str().unwrap()];
    let line = printed(&words, &file.0);
    let found: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(found > 100.0 && found < 5000.0 && line.contains("nats"), "{line}");
    let output = call(&["embed", "--text", "x"], &file.0);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("makes no embeddings"), "{error}");
}
