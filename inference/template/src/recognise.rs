// SPDX-License-Identifier: MIT
//! Which family a model's template belongs to, by the marks in its text.
//!
//! Marks and their order follow llama.cpp (`src/llama-chat.cpp`), with one difference: TinyLlama's template names
//! `eos_token` instead of writing `</s>`, which llama.cpp takes for another family and so loses the `</s>`.

use core::fmt;

use inference_tokenizer::Name;

use crate::Family;

/// A template that is none of the known families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTemplate {
    /// How it begins.
    pub start: Name,
}

impl fmt::Display for UnknownTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the model's chat template ('{}...') is not a known one: choose one by name (none = plain completion)",
            self.start
        )
    }
}

impl core::error::Error for UnknownTemplate {}

/// The family of `template`, the value of `tokenizer.chat_template`; [`Family::None`] for a model without one.
///
/// # Errors
/// [`UnknownTemplate`]; the caller may offer [`Family::ALL`] by name.
pub fn recognise(template: Option<&str>) -> Result<Family, UnknownTemplate> {
    let Some(template) = template.filter(|template| !template.trim().is_empty()) else {
        return Ok(Family::None);
    };
    Family::from_name(template)
        .or_else(|| by_marks(template))
        .ok_or_else(|| UnknownTemplate { start: Name::new(template) })
}

fn by_marks(template: &str) -> Option<Family> {
    let has = |mark: &str| template.contains(mark);
    if has("<|im_start|>") {
        // Phi-4 writes `<|im_sep|>` where ChatML has a line break.
        return (!has("<|im_sep|>")).then_some(Family::ChatMl);
    }
    if has("[INST]") {
        return mistral(template);
    }
    if has("<|user|>") && has("<|assistant|>") && has("<|end|>") {
        return Some(Family::Phi3);
    }
    if has("<|user|>") && has("<|assistant|>") && !has("[gMASK]") && !has("<|end_of_text|>") {
        return (has("eos_token") || has("</s>") || has("<|endoftext|>")).then_some(Family::Zephyr);
    }
    if has("<start_of_turn>") {
        return Some(Family::Gemma);
    }
    (has("<|start_header_id|>") && has("<|end_header_id|>")).then_some(Family::Llama3)
}

/// Llama 2 and Mistral v7 write their system prompts in marks of their own and are not among the families.
fn mistral(template: &str) -> Option<Family> {
    let has = |mark: &str| template.contains(mark);
    if has("[SYSTEM_PROMPT]") || has("<<SYS>>") {
        return None;
    }
    if has(" [INST]") {
        return Some(Family::MistralV1);
    }
    if has("\"[INST]\"") {
        return Some(Family::MistralTekken);
    }
    Some(Family::MistralV3)
}
