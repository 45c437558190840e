// SPDX-License-Identifier: MIT
//! Small vocabularies made on the spot, and a count of the work that encoding does.

mod hostile;
mod injection;
mod linear;
mod roundtrip;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;

use inference_gguf::{Gguf, Writer};

use crate::{Tokenizer, TokenizerError, alphabet};

std::thread_local! {
    static WORK: Cell<usize> = const { Cell::new(0) };
}

/// Notes `units` of work: bytes hashed, merges looked up.
pub(crate) fn count(units: usize) {
    WORK.with(|work| work.set(work.get() + units));
}

/// The work that `action` does.
fn work_of(action: impl FnOnce()) -> usize {
    let before = WORK.with(Cell::get);
    action();
    WORK.with(Cell::get) - before
}

/// Token types by number, as in the file.
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const BYTE: i32 = 6;

/// A vocabulary to be written.
#[derive(Clone, Default)]
struct Draft {
    model: &'static str,
    pre: Option<&'static str>,
    tokens: Vec<String>,
    scores: Vec<f32>,
    kinds: Vec<i32>,
    merges: Vec<String>,
    ids: Vec<(&'static str, u32)>,
    flags: Vec<(&'static str, bool)>,
}

impl Draft {
    fn token(&mut self, text: impl ToString, score: f32, kind: i32) -> &mut Self {
        self.tokens.push(text.to_string());
        self.scores.push(score);
        self.kinds.push(kind);
        self
    }

    /// `<unk> <s> </s>`, the bytes, and the words "a", "aa", ... "▁▁", ....
    fn spm() -> Self {
        let mut draft = Self { model: "llama", ..Self::default() };
        draft.token("<unk>", 0.0, UNKNOWN).token("<s>", 0.0, CONTROL).token("</s>", 0.0, CONTROL);
        (0..256).for_each(|byte| {
            draft.token(format!("<0x{byte:02X}>"), 0.0, BYTE);
        });
        for (score, length) in [1, 2, 3, 4, 8, 16].into_iter().enumerate() {
            draft.token("a".repeat(length), -(score as f32), NORMAL);
            draft.token("▁".repeat(length), -(score as f32), NORMAL);
        }
        draft
    }

    /// The bytes, and doubled letters up to 64.
    fn bpe(pre: &'static str) -> Self {
        let mut draft = Self { model: "gpt2", pre: Some(pre), ..Self::default() };
        draft.ids.push((key_of("bos"), 0));
        (0..=255).for_each(|byte| {
            draft.token(alphabet::char_of(byte), 0.0, NORMAL);
        });
        for letter in ["a", "Ġ", "1", "!"] {
            for length in [1, 2, 4, 8, 16, 32] {
                let half = letter.repeat(length);
                draft.token(half.repeat(2), 0.0, NORMAL);
                draft.merges.push(format!("{half} {half}"));
            }
        }
        draft
    }

    /// Special tokens, letters, and pieces of words.
    fn wpm() -> Self {
        let mut draft = Self { model: "bert", ..Self::default() };
        for text in ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] {
            draft.token(text, 0.0, CONTROL);
        }
        for text in ["▁a", "a", "▁ab", "ab", "▁한", "▁ᄒ", "ᅡ", "ᆫ", "▁!", "▁一"] {
            draft.token(text, 0.0, NORMAL);
        }
        draft.ids =
            [("unknown", 1), ("cls", 2), ("seperator", 3)].map(|(name, id)| (key_of(name), id)).to_vec();
        draft
    }

    fn file(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.str("general.architecture", "llama").str("tokenizer.ggml.model", self.model);
        if let Some(pre) = self.pre {
            writer.str("tokenizer.ggml.pre", pre);
        }
        writer.strings("tokenizer.ggml.tokens", &self.tokens);
        writer.f32s("tokenizer.ggml.scores", &self.scores).i32s("tokenizer.ggml.token_type", &self.kinds);
        if self.model == "gpt2" {
            writer.strings("tokenizer.ggml.merges", &self.merges);
        }
        for (key, id) in &self.ids {
            writer.u32(key, *id);
        }
        for (key, flag) in &self.flags {
            writer.bool(key, *flag);
        }
        writer.file(&[])
    }

    fn error(&self) -> TokenizerError {
        let file = self.file();
        Tokenizer::from_gguf(&Gguf::parse(&file).unwrap()).map(|_| ()).unwrap_err()
    }

    fn with<T>(&self, check: impl FnOnce(&Tokenizer<'_>) -> T) -> T {
        let file = self.file();
        check(&Tokenizer::from_gguf(&Gguf::parse(&file).unwrap()).unwrap())
    }
}

fn key_of(name: &str) -> &'static str {
    format!("tokenizer.ggml.{name}_token_id").leak()
}

fn encode(tokenizer: &Tokenizer<'_>, text: &str) -> Vec<u32> {
    let mut tokens = Vec::new();
    tokenizer.encode(text, false, false, &mut tokens).unwrap();
    tokens
}
