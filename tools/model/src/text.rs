// SPDX-License-Identifier: MIT
//! `tokenize` and what the other commands need to know of text.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use inference_gguf::Gguf;
use inference_tokenizer::Tokenizer;
use serde_json::json;

use crate::host;
use crate::output::say;

/// Arguments of `tokenize`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A GGUF file with a vocabulary.
    file: PathBuf,
    /// Print `{"tokens": [...]}`.
    #[arg(long)]
    json: bool,
    /// Add no special tokens around the text.
    #[arg(long)]
    no_bos: bool,
    /// Make special tokens of their names in the text, such as <|im_end|>.
    #[arg(long)]
    special: bool,
    /// Read token ids (numbers, or the JSON that --json prints) and print their text.
    #[arg(long)]
    decode: bool,
}

/// Encodes or decodes standard input.
pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = host::read(&arguments.file)?;
    let gguf = Gguf::parse(&bytes).with_context(|| format!("{} is not usable", arguments.file.display()))?;
    let tokenizer = tokenizer(&arguments.file, &gguf)?;
    let input = standard_input()?;
    if arguments.decode {
        return decode(&tokenizer, &input);
    }
    let tokens = encode(&tokenizer, &input, !arguments.no_bos, arguments.special)?;
    if arguments.json {
        say!("{}", json!({ "tokens": tokens }));
    } else {
        let words: Vec<String> = tokens.iter().map(u32::to_string).collect();
        say!("{}", words.join(" "));
    }
    Ok(())
}

/// The tokenizer of `gguf`, which was read from `file`.
pub fn tokenizer<'a>(file: &Path, gguf: &Gguf<'a>) -> Result<Tokenizer<'a>> {
    Tokenizer::from_gguf(gguf).with_context(|| format!("the vocabulary of {} is not usable", file.display()))
}

/// The tokens of `text`, between the model's begin and end tokens if `add_special`.
pub fn encode(
    tokenizer: &Tokenizer<'_>,
    text: &str,
    add_special: bool,
    parse_special: bool,
) -> Result<Vec<u32>> {
    let mut tokens = Vec::new();
    tokenizer.encode(text, add_special, parse_special, &mut tokens)?;
    Ok(tokens)
}

/// All of standard input, which must be UTF-8.
pub fn standard_input() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
    utf8("standard input", bytes)
}

/// All of a file, which must be UTF-8.
pub fn file(path: &Path) -> Result<String> {
    utf8(&path.display().to_string(), host::read(path)?.into_vec())
}

fn utf8(what: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        anyhow!("{what} is not UTF-8 at byte {}: convert it first", error.utf8_error().valid_up_to())
    })
}

fn decode(tokenizer: &Tokenizer<'_>, input: &str) -> Result<()> {
    let text = tokenizer.decode(&token_ids(tokenizer, input)?);
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write standard output")
}

/// The token ids in `input`: everything that is no digit separates them, and JSON's `"tokens":` is skipped.
fn token_ids(tokenizer: &Tokenizer<'_>, input: &str) -> Result<Vec<u32>> {
    let numbers = input.trim().trim_start_matches('{').trim_start().trim_start_matches("\"tokens\"");
    let separator = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}' | ':');
    let words = numbers.split(separator).filter(|word| !word.is_empty());
    words.map(|word| token_id(tokenizer, word)).collect()
}

fn token_id(tokenizer: &Tokenizer<'_>, word: &str) -> Result<u32> {
    let id: u32 = word.parse().map_err(|_| anyhow!("'{word}' is not a token id: give numbers"))?;
    if id >= tokenizer.len() {
        bail!("token {id} does not exist: this vocabulary has {} tokens", tokenizer.len());
    }
    Ok(id)
}
