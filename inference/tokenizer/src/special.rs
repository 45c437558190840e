// SPDX-License-Identifier: MIT
//! Special tokens: which ids they are.

use alloc::vec::Vec;

use crate::error::TokenizerError;
use crate::metadata::{Metadata, Model};
use crate::vocabulary::Vocabulary;

/// Where the unknown token is named.
pub(crate) const UNKNOWN: &str = "tokenizer.ggml.unknown_token_id";

/// Texts that end generation in the model families of today, whatever `eos_token_id` says; as in llama.cpp
/// (`src/llama-vocab.cpp`), whose list of fill-in-the-middle ends is included.
const ENDS: [&str; 30] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<reponame>",
    "<|file_sep|>",
];

/// The ids that the file gives a role, and what is added to a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begins a sequence (`[CLS]` for WordPiece).
    pub bos: Option<u32>,
    /// Ends a sequence.
    pub eos: Option<u32>,
    /// Ends a WordPiece sequence (`[SEP]`).
    pub sep: Option<u32>,
    /// Stands for what the vocabulary cannot express.
    pub unknown: Option<u32>,
    /// Fills up batches.
    pub padding: Option<u32>,
    /// Whether `bos` goes before a text.
    pub add_bos: bool,
    /// Whether `eos` goes after a text.
    pub add_eos: bool,
}

impl SpecialTokens {
    /// The ids from the file, else the ones llama.cpp assumes for `model`.
    ///
    /// # Errors
    /// An id that is no token; a token that is to be added and not named.
    pub(crate) fn read(
        metadata: &Metadata<'_, '_>,
        tokens: u32,
        add_bos: bool,
    ) -> Result<Self, TokenizerError> {
        let model = metadata.model;
        let token = |key, assumed: [Option<u32>; 2]| {
            let [spm, wpm] = assumed.map(|id| id.filter(|id| *id < tokens));
            let assumed = match model {
                Model::Spm => spm,
                Model::Wpm => wpm,
                Model::Bpe => None,
            };
            Ok::<_, TokenizerError>(metadata.token(key, tokens)?.or(assumed))
        };
        let cls = metadata.token("tokenizer.ggml.cls_token_id", tokens)?.filter(|_| model == Model::Wpm);
        let this = Self {
            bos: cls.or(token("tokenizer.ggml.bos_token_id", [Some(1), Some(101)])?),
            eos: token("tokenizer.ggml.eos_token_id", [Some(2), None])?,
            sep: token("tokenizer.ggml.seperator_token_id", [None, Some(102)])?,
            unknown: token(UNKNOWN, [Some(0), Some(100)])?,
            padding: token("tokenizer.ggml.padding_token_id", [None, Some(0)])?,
            add_bos: metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(add_bos),
            add_eos: metadata.flag("tokenizer.ggml.add_eos_token")?.unwrap_or(false),
        };
        this.check(model)
    }

    fn check(self, model: Model) -> Result<Self, TokenizerError> {
        if model == Model::Wpm {
            let named = self.bos.and(self.sep).and(self.unknown);
            return named
                .map(|_| self)
                .ok_or(TokenizerError::NoSuchSpecialToken("tokenizer.ggml.model = bert"));
        }
        if self.add_bos && self.bos.is_none() {
            return Err(TokenizerError::NoSuchSpecialToken("tokenizer.ggml.add_bos_token"));
        }
        if self.add_eos && self.eos.is_none() {
            return Err(TokenizerError::NoSuchSpecialToken("tokenizer.ggml.add_eos_token"));
        }
        Ok(self)
    }
}

/// The tokens that end generation: those of [`ENDS`] by text, and the `eos`, `eot` and `eom` that the file names.
/// Sorted.
pub(crate) fn end_tokens(
    metadata: &Metadata<'_, '_>,
    vocabulary: &Vocabulary<'_>,
    special: &SpecialTokens,
) -> Result<Vec<u32>, TokenizerError> {
    let mut ends: Vec<u32> = ENDS.iter().filter_map(|text| vocabulary.find(text.as_bytes())).collect();
    ends.extend(special.eos);
    for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
        ends.extend(metadata.token(key, vocabulary.len())?);
    }
    drop_parts_of_turns(vocabulary, &mut ends);
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}

/// Where a turn has several parts (`<|return|>` and `<|call|>` exist), `<|end|>` ends only a part; and where
/// `<|tool_response>` exists, `</s>` is ordinary text.
fn drop_parts_of_turns(vocabulary: &Vocabulary<'_>, ends: &mut Vec<u32>) {
    let find = |text: &str| vocabulary.find(text.as_bytes());
    let parts = find("<|return|>").and(find("<|call|>")).or(find("<|calls|>").and(find("<|flush|>")));
    if let (Some(_), Some(end)) = (parts, find("<|end|>")) {
        ends.retain(|id| *id != end);
    }
    if let (Some(_), Some(end)) = (find("<|tool_response>"), find("</s>")) {
        ends.retain(|id| *id != end);
    }
}
