// SPDX-License-Identifier: MIT
//! Chat templates: how a conversation is written for a model.
//!
//! The one rule: **special tokens come from the template, never from what a person or a model wrote.** A rendered
//! conversation is a list of segments that keep the two apart until they are tokens, so a message that contains
//! `<|im_end|>` stays a message.
//!
//! Templates in a GGUF file are Jinja programs. They are not run: a template is recognised by its marks and stands
//! for one of the families below, whose format is written here. One that is not recognised is refused; what to do
//! then ([`Family::None`], or a family by name) is the person's choice, not a guess.
//!
//! Limits: no tools, no images, no default system prompts (Qwen's and SmolLM2's templates insert one), no
//! "thinking" switches.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod encode;
mod family;
mod recognise;
mod render;

pub use encode::encode;
pub use family::Family;
pub use recognise::{UnknownTemplate, recognise};
pub use render::{Message, RenderError, Role, Segment, render};
