// SPDX-License-Identifier: MIT
//! From a conversation to segments: one description per family.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::fmt;

use crate::Family;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions for the whole conversation; only as the first message.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name in most templates.
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub role: Role,
    pub text: &'a str,
}

/// A part of a rendered conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// The token that begins a sequence, for models that want one.
    Begin,
    /// The token that ends a sequence.
    End,
    /// A mark: the special token of this name, or this text where the vocabulary has no such token.
    Special(&'static str),
    /// Text of the template.
    Literal(&'static str),
    /// Text of a message: never a special token.
    Text(&'a str),
}

/// Why a conversation could not be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenderError {
    /// A system message that is not the first.
    LateSystemMessage,
    /// The heap is full: drop the oldest messages.
    OutOfMemory,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LateSystemMessage => "a system message must be the first of the conversation",
            Self::OutOfMemory => "not enough memory for this conversation: drop its oldest messages",
        })
    }
}

impl core::error::Error for RenderError {}

impl From<TryReserveError> for RenderError {
    fn from(_: TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

/// Appends `messages` as `family` writes them to `out`, and the opening of the model's turn if `generate`.
///
/// # Errors
/// [`RenderError`].
pub fn render<'a>(
    family: Family,
    messages: &[Message<'a>],
    generate: bool,
    out: &mut Vec<Segment<'a>>,
) -> Result<(), RenderError> {
    if messages.iter().skip(1).any(|message| message.role == Role::System) {
        return Err(RenderError::LateSystemMessage);
    }
    out.try_reserve((messages.len() + 1) * 8)?;
    out.push(Segment::Begin);
    match family {
        Family::MistralV1 | Family::MistralV3 | Family::MistralTekken => mistral(family, messages, out),
        Family::Gemma => gemma(messages, out),
        _ => messages.iter().for_each(|message| turn(family, *message, out)),
    }
    if generate {
        out.extend_from_slice(opening(family));
    }
    Ok(())
}

/// The segments that open the model's turn.
fn opening(family: Family) -> &'static [Segment<'static>] {
    use Segment::{Literal, Special};
    match family {
        Family::ChatMl => &[Special("<|im_start|>"), Literal("assistant\n")],
        Family::Llama3 => &[
            Special("<|start_header_id|>"),
            Literal("assistant"),
            Special("<|end_header_id|>"),
            Literal("\n\n"),
        ],
        Family::Phi3 => &[Special("<|assistant|>"), Literal("\n")],
        Family::Gemma => &[Special("<start_of_turn>"), Literal("model\n")],
        Family::Zephyr => &[Literal("<|assistant|>\n")],
        Family::MistralV1 | Family::MistralV3 | Family::MistralTekken | Family::None => &[],
    }
}

/// A message in a family whose turns are all alike.
fn turn<'a>(family: Family, Message { role, text }: Message<'a>, out: &mut Vec<Segment<'a>>) {
    use Segment::{End, Literal, Special, Text};
    match family {
        Family::ChatMl => out.extend([
            Special("<|im_start|>"),
            Literal(role.name()),
            Literal("\n"),
            Text(text),
            Special("<|im_end|>"),
            Literal("\n"),
        ]),
        Family::Llama3 => out.extend([
            Special("<|start_header_id|>"),
            Literal(role.name()),
            Special("<|end_header_id|>"),
            Literal("\n\n"),
            Text(trim(text)),
            Special("<|eot_id|>"),
        ]),
        Family::Phi3 => {
            out.extend([Special(angled(role)), Literal("\n"), Text(text), Special("<|end|>"), Literal("\n")]);
        }
        Family::Zephyr => out.extend([Literal(angled(role)), Literal("\n"), Text(text), End, Literal("\n")]),
        _ => out.push(Text(text)),
    }
}

fn angled(role: Role) -> &'static str {
    match role {
        Role::System => "<|system|>",
        Role::User => "<|user|>",
        Role::Assistant => "<|assistant|>",
    }
}

/// Gemma has no system role: its text goes before the first message.
fn gemma<'a>(messages: &[Message<'a>], out: &mut Vec<Segment<'a>>) {
    use Segment::{Literal, Special, Text};
    let mut system = None;
    for message in messages {
        let role = match message.role {
            Role::System => {
                system = Some(trim(message.text));
                continue;
            }
            Role::User => "user\n",
            Role::Assistant => "model\n",
        };
        out.extend([Special("<start_of_turn>"), Literal(role)]);
        if let Some(text) = system.take().filter(|text| !text.is_empty()) {
            out.extend([Text(text), Literal("\n\n")]);
        }
        out.extend([Text(trim(message.text)), Special("<end_of_turn>"), Literal("\n")]);
    }
}

/// Mistral's system text goes before the first user text; the three versions differ in spaces.
fn mistral<'a>(family: Family, messages: &[Message<'a>], out: &mut Vec<Segment<'a>>) {
    use Segment::{End, Literal, Text};
    let v1 = family == Family::MistralV1;
    let space = |wanted: bool| Literal(if wanted { " " } else { "" });
    let mark = |text| if v1 { Literal(text) } else { Segment::Special(text) };
    let after = family != Family::MistralTekken;
    let mut inside = false;
    for Message { role, text } in messages.iter().copied() {
        if !inside {
            out.extend([space(v1), mark("[INST]"), space(after)]);
        }
        inside = role != Role::Assistant;
        match role {
            Role::System => out.extend([Text(text), Literal("\n\n")]),
            Role::User => out.extend([Text(text), space(v1), mark("[/INST]")]),
            Role::Assistant if family == Family::MistralV3 => {
                out.extend([space(after), Text(trim(text)), End])
            }
            Role::Assistant => out.extend([space(after), Text(text), End]),
        }
    }
}

/// Without white space at both ends, as C's `isspace` has it.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| matches!(c, ' ' | '\t'..='\r'))
}
