// SPDX-License-Identifier: MIT
//! The families of templates.

use core::fmt;

use inference_tokenizer::{SpecialTokens, Tokenizer};

/// How a family of models writes a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// SmolLM2, Qwen: `<|im_start|>role⏎text<|im_end|>⏎`.
    ChatMl,
    /// `<|start_header_id|>role<|end_header_id|>⏎⏎text<|eot_id|>`.
    Llama3,
    /// ` [INST] text [/INST] reply</s>`, the marks being ordinary text.
    MistralV1,
    /// `[INST] text[/INST] reply</s>`.
    MistralV3,
    /// As v3 without the spaces.
    MistralTekken,
    /// `<|user|>⏎text<|end|>⏎<|assistant|>⏎`.
    Phi3,
    /// `<start_of_turn>user⏎text<end_of_turn>⏎<start_of_turn>model⏎`; no system role.
    Gemma,
    /// TinyLlama: `<|user|>⏎text</s>⏎<|assistant|>⏎`, only `</s>` (whatever `eos` is) being a token.
    Zephyr,
    /// No template: the messages follow one another and the model continues them. For base models.
    None,
}

impl Family {
    /// All families, for a list to choose from.
    pub const ALL: [Self; 9] = [
        Self::ChatMl,
        Self::Llama3,
        Self::MistralV1,
        Self::MistralV3,
        Self::MistralTekken,
        Self::Phi3,
        Self::Gemma,
        Self::Zephyr,
        Self::None,
    ];

    /// The name that commands and messages use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ChatMl => "chatml",
            Self::Llama3 => "llama3",
            Self::MistralV1 => "mistral-v1",
            Self::MistralV3 => "mistral-v3",
            Self::MistralTekken => "mistral-v3-tekken",
            Self::Phi3 => "phi3",
            Self::Gemma => "gemma",
            Self::Zephyr => "zephyr",
            Self::None => "none",
        }
    }

    /// The family called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Whether `token` ends an answer. Base models without a template also end where they begin a new text.
    #[must_use]
    pub fn stops(self, tokenizer: &Tokenizer<'_>, token: u32) -> bool {
        let SpecialTokens { bos, .. } = tokenizer.special();
        tokenizer.is_end(token) || (self == Self::None && *bos == Some(token))
    }

    /// The marks that are single tokens where the vocabulary has them. Text never turns into one of these.
    pub(crate) fn marks(self) -> &'static [&'static str] {
        match self {
            Self::ChatMl => &["<|im_start|>", "<|im_end|>"],
            Self::Llama3 => &["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
            Self::MistralV1 => &["</s>"],
            Self::MistralV3 | Self::MistralTekken => &["[INST]", "[/INST]", "</s>"],
            Self::Phi3 => &["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"],
            Self::Gemma => &["<start_of_turn>", "<end_of_turn>"],
            Self::Zephyr => &["</s>", "<|endoftext|>"],
            Self::None => &[],
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
