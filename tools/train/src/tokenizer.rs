// SPDX-License-Identifier: MIT
//! `tokenizer`: trains a SentencePiece vocabulary (byte-pair merges with byte fallback) and writes it as GGUF.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use inference_gguf::Writer;

use crate::files;
use crate::merges::Merges;

/// Arguments of `tokenizer`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Texts; of files that end in .jsonl, the texts of all lines.
    #[arg(required = true)]
    texts: Vec<PathBuf>,
    /// Tokens.
    #[arg(long)]
    vocab: usize,
    /// A control token besides <unk>, <s> and </s>; may be repeated.
    #[arg(long)]
    special: Vec<String>,
    /// A file with the chat template that models with this vocabulary carry.
    #[arg(long)]
    chat_template: Option<PathBuf>,
    /// Characters that occur less often are spelt in bytes.
    #[arg(long, default_value_t = 20)]
    least: u64,
    #[arg(short, long)]
    out: PathBuf,
}

/// What SentencePiece writes for a space.
const SPACE: char = '\u{2581}';
/// `<unk>`, `<s>` and `</s>`.
const ROLES: [&str; 3] = ["<unk>", "<s>", "</s>"];

/// Counts words, merges, writes.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut words = HashMap::new();
    for file in &arguments.texts {
        files::each_text(file, |text| count_words(text, &mut words))?;
    }
    let mut words: Vec<(String, u64)> = words.into_iter().collect();
    words.sort_unstable();
    ensure!(!words.is_empty(), "the texts are empty: a vocabulary needs some words");
    let pieces = pieces(arguments, &words)?;
    let template = arguments
        .chat_template
        .as_ref()
        .map(|file| std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display())));
    let writer = gguf(&arguments.special, &pieces, template.transpose()?.as_deref());
    files::write(&arguments.out, &writer.header())?;
    println!("wrote {}: {} tokens", arguments.out.display(), arguments.vocab);
    Ok(())
}

/// Characters that may be merged with one another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Mark,
    Space,
    /// Never merged: digits and line breaks.
    Single,
}

fn class(c: char) -> Class {
    match c {
        ' ' => Class::Space,
        c if c.is_numeric() || c.is_control() => Class::Single,
        c if c.is_alphabetic() => Class::Letter,
        _ => Class::Mark,
    }
}

/// Cuts `text` into words: runs of letters, or of marks, with the space before them.
fn count_words(text: &str, words: &mut HashMap<String, u64>) {
    let mut word = String::new();
    let mut last = Class::Single;
    for c in text.chars() {
        let class = class(c);
        let after_space = last == Class::Space && class != Class::Single;
        if after_space && class != Class::Space {
            // The last space of several belongs to what follows.
            word.pop();
            add(&mut word, words);
            word.push(SPACE);
        } else if class == Class::Single || class != last {
            add(&mut word, words);
        }
        word.push(if c == ' ' { SPACE } else { c });
        last = class;
    }
    add(&mut word, words);
}

fn add(word: &mut String, words: &mut HashMap<String, u64>) {
    if !word.is_empty() {
        *words.entry(std::mem::take(word)).or_default() += 1;
    }
}

/// The pieces: first the merged ones in their order, then single characters.
fn pieces(arguments: &Arguments, words: &[(String, u64)]) -> Result<Vec<String>> {
    let mut counts: HashMap<char, u64> = HashMap::new();
    for (word, count) in words {
        word.chars().for_each(|c| *counts.entry(c).or_default() += count);
    }
    let mut alphabet: Vec<char> =
        counts.iter().filter(|(_, count)| **count >= arguments.least).map(|(c, _)| *c).collect();
    alphabet.sort_unstable();
    let fixed = ROLES.len() + arguments.special.len() + 256 + alphabet.len();
    let wanted = arguments.vocab.checked_sub(fixed).with_context(|| {
        format!(
            "--vocab {} is too small: {} special tokens, 256 bytes and {} characters need {fixed}; raise it, or --least",
            arguments.vocab,
            ROLES.len() + arguments.special.len(),
            alphabet.len()
        )
    })?;
    let mut merges = Merges::new(words, &alphabet);
    let mut pieces: Vec<String> = std::iter::from_fn(|| merges.next(2)).take(wanted).collect();
    ensure!(
        pieces.len() == wanted,
        "the texts have only {} pieces worth a token: lower --vocab to {} or give more text",
        pieces.len(),
        fixed + pieces.len()
    );
    pieces.extend(alphabet.iter().map(char::to_string));
    Ok(pieces)
}

/// The vocabulary as metadata, in the order: roles, special tokens, bytes, pieces.
fn gguf(special: &[String], pieces: &[String], template: Option<&str>) -> Writer {
    let mut tokens: Vec<String> = ROLES.iter().map(|role| role.to_string()).collect();
    tokens.extend(special.iter().cloned());
    let mut types = vec![3; tokens.len()];
    types[0] = 2;
    tokens.extend((0..=255u8).map(|byte| format!("<0x{byte:02X}>")));
    types.resize(tokens.len(), 6);
    let mut scores = vec![0.0; tokens.len()];
    scores.extend((0..pieces.len()).map(|rank| -(rank as f32)));
    tokens.extend_from_slice(pieces);
    types.resize(tokens.len(), 1);
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").str("general.type", "model");
    writer.str("tokenizer.ggml.model", "llama").str("tokenizer.ggml.pre", "default");
    writer.strings("tokenizer.ggml.tokens", &tokens).f32s("tokenizer.ggml.scores", &scores);
    writer.i32s("tokenizer.ggml.token_type", &types);
    writer.u32("tokenizer.ggml.unknown_token_id", 0).u32("tokenizer.ggml.bos_token_id", 1);
    writer.u32("tokenizer.ggml.eos_token_id", 2).bool("tokenizer.ggml.add_bos_token", true);
    writer.bool("tokenizer.ggml.add_eos_token", false).bool("tokenizer.ggml.add_space_prefix", false);
    if let Some(template) = template {
        writer.str("tokenizer.chat_template", template.trim_end());
    }
    writer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = HashMap::new();
        count_words(text, &mut words);
        let mut words: Vec<String> = words.into_keys().collect();
        words.sort();
        words
    }

    #[test]
    fn words_keep_their_space_and_digits_stand_alone() {
        assert_eq!(words("stop it now"), ["stop", "▁it", "▁now"]);
        assert_eq!(words("free 20 MB\n"), ["\n", "0", "2", "free", "▁", "▁MB"]);
        assert_eq!(words("a  (b)..."), [")...", "a", "b", "▁", "▁("]);
    }
}
