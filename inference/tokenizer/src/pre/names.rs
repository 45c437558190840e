// SPDX-License-Identifier: MIT
//! Which pre-tokenizer `tokenizer.ggml.pre` names; names and settings as in llama.cpp (`src/llama-vocab.cpp`).

use super::{Sink, Stage, cjk, runs, split, words};
use crate::error::{EncodeError, Name, TokenizerError};
use crate::metadata::{Metadata, Model};

/// A known pre-tokenizer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PreTokenizer {
    stages: &'static [Stage],
    ignore_merges: bool,
    add_bos: bool,
    raw: bool,
}

/// What the families share.
const PLAIN: PreTokenizer =
    PreTokenizer { stages: &[words::gpt2], ignore_merges: false, add_bos: false, raw: false };

impl PreTokenizer {
    /// The pre-tokenizer of a byte-pair vocabulary; the other models have none.
    ///
    /// # Errors
    /// As [`PreTokenizer::named`].
    pub fn of(metadata: &Metadata<'_, '_>) -> Result<Option<Self>, TokenizerError> {
        match metadata.model {
            Model::Bpe => Self::named(metadata.pre).map(Some),
            Model::Spm | Model::Wpm => Ok(None),
        }
    }

    /// The pre-tokenizer called `name`. A file without the key gets `default`, as in llama.cpp.
    ///
    /// # Errors
    /// [`TokenizerError::UnknownPreTokenizer`].
    pub fn named(name: Option<&str>) -> Result<Self, TokenizerError> {
        let stages = |stages| Self { stages, ..PLAIN };
        Ok(match name.unwrap_or("default") {
            "default" => {
                stages(&[runs::default_punctuation, words::gpt2, runs::digits, runs::exactly_three_digits])
            }
            "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0"
            | "lfm2" | "jina-v5-nano" => {
                Self { stages: &[words::llama3], ignore_merges: true, add_bos: true, raw: false }
            }
            "tekken" => Self { stages: &[words::tekken], ignore_merges: true, add_bos: true, raw: false },
            "gemma4" | "granite-embed-multi-311m" => {
                Self { stages: &[runs::lines], ignore_merges: false, add_bos: true, raw: true }
            }
            "minicpm5" => Self { ignore_merges: true, ..stages(&[runs::three_digits, words::minicpm5]) },
            "dbrx" | "smaug-bpe" | "glm4" | "chatglm-bpe" => stages(&[words::llama3]),
            "gpt-2" | "phi-2" | "jina-es" | "jina-de" | "gigachat" | "jina-v2-es" | "jina-v2-de"
            | "a.x-4.0" | "mellum" | "modern-bert" | "jina-v1-en" | "jina-v2-code" | "roberta-bpe"
            | "exaone4" | "mpt" | "olmo" | "jais" | "trillion" | "granite-docling" => PLAIN,
            "starcoder" | "refact" | "command-r" | "smollm" | "codeshell" | "exaone" | "minerva-7b"
            | "mellum2" => stages(&[runs::digit, words::gpt2]),
            "qwen2" | "deepseek-r1-qwen" | "kormo" | "f2llmv2" | "megrez" | "stablelm2" | "hunyuan"
            | "solar-open" | "grok-2" | "bailingmoe" | "bailingmoe2" | "llada-moe" => stages(&[words::qwen2]),
            "qwen35" => stages(&[words::qwen35]),
            "seed-coder" => stages(&[words::seed_coder]),
            "ufakzeka" => stages(&[words::ufakzeka]),
            "gpt-4o" | "llama4" | "kanana2" | "talkie" | "minimax-m2" => stages(&[words::gpt4o]),
            "deepseek-llm" => stages(&[
                runs::newline,
                cjk::spaced_cased_letters,
                cjk::spaced_marks,
                runs::trailing_space,
                cjk::han_and_hangul,
                runs::digits,
            ]),
            "deepseek-coder" => stages(&[
                runs::newline,
                runs::spaced_letters,
                runs::spaced_punctuation,
                cjk::han_and_hangul,
                runs::digit,
            ]),
            "deepseek-v3" | "hunyuan-dense" | "joyai-llm" | "hy_v4" => {
                stages(&[runs::three_digits, cjk::han_and_kana, words::deepseek3])
            }
            "falcon" => stages(&[runs::falcon_punctuation, words::gpt2, runs::exactly_three_digits]),
            "bloom" | "poro-chat" | "gpt3-finnish" => stages(&[runs::bloom]),
            "viking" => stages(&[runs::bloom, runs::digit]),
            other => return Err(TokenizerError::UnknownPreTokenizer(Name::new(other))),
        })
    }

    /// Whether a word that is a token is never cut further.
    pub fn ignore_merges(&self) -> bool {
        self.ignore_merges
    }

    /// Whether words are merged from characters, not from bytes in GPT-2's alphabet.
    pub fn raw(&self) -> bool {
        self.raw
    }

    /// Whether a text begins with `bos` where the file does not say.
    pub fn add_bos(&self) -> bool {
        self.add_bos
    }

    /// Hands the words of `text` to `sink`.
    ///
    /// # Errors
    /// What `sink` returns.
    pub fn split(&self, text: &str, sink: &mut Sink<'_>) -> Result<(), EncodeError> {
        split(self.stages, text, sink)
    }
}
