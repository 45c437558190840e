// SPDX-License-Identifier: MIT
//! The text side of a model: tokenizer, chat template and what its header says of it.
//!
//! One design rule: everything here is derived from the `vocabulary` region, and dropped as a whole when the
//! supervisor takes that region back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use inference_gguf::Gguf;
use inference_template::{Family, Message, Role, recognise, render};
use inference_tokenizer::Tokenizer;
use ipc_protocol::List;
use ipc_protocol::session_compute::MAX_STOP_TOKENS;
use ipc_protocol::supervisor_compute::Sealed;
use retrieval::evidence::{ANSWERS, QUOTATIONS};

/// The text side of a model.
#[derive(Debug)]
pub struct Language {
    gguf: Gguf<'static>,
    /// Text to tokens.
    pub tokenizer: Tokenizer<'static>,
    /// How a conversation is written; `None` for a template that is not known.
    pub family: Option<Family>,
    /// For people: what is wrong with the template.
    pub unknown: Option<String>,
}

impl Language {
    /// Reads the header of a sealed model.
    ///
    /// # Errors
    /// A message for people that names what is wrong or not built in.
    pub fn open(vocabulary: &'static [u8], sealed: &Sealed) -> Result<Self, String> {
        let length = usize::try_from(sealed.header).unwrap_or(usize::MAX);
        let header = vocabulary.get(..length).ok_or("its header is larger than the vocabulary region")?;
        let gguf = Gguf::parse_prefix(header, sealed.length).map_err(|error| error.to_string())?;
        let tokenizer = Tokenizer::from_gguf(&gguf).map_err(|error| error.to_string())?;
        let template = gguf.str("tokenizer.chat_template").map_err(|error| error.to_string())?;
        let (family, unknown) = match recognise(template) {
            Ok(family) => (Some(family), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Ok(Self { gguf, tokenizer, family, unknown })
    }

    /// Whether the model knows turns, so that the whole conversation is its prompt.
    pub fn has_turns(&self) -> bool {
        self.family != Some(Family::None)
    }

    /// Whether the template has a space before each answer, which the model makes itself.
    pub fn spaces_replies(&self) -> bool {
        matches!(self.family, Some(Family::MistralV1 | Family::MistralV3))
    }

    /// The tokens of a conversation that the model is to answer.
    ///
    /// # Errors
    /// A message for people: an unknown template, or not enough memory.
    pub fn prompt(&self, messages: &[Message<'_>]) -> Result<Vec<u32>, String> {
        let Some(family) = self.family else {
            let why = self.unknown.as_deref().unwrap_or("unknown chat template");
            let names: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
            return Err(format!("{why}; /set template NAME chooses one of {}", names.join(", ")));
        };
        let (mut segments, mut tokens) = (Vec::new(), Vec::new());
        render(family, messages, true, &mut segments).map_err(|error| error.to_string())?;
        inference_template::encode(&self.tokenizer, family, &segments, &mut tokens)
            .map_err(|error| error.to_string())?;
        Ok(tokens)
    }

    /// The tokens of a question with its answer, as a conversation of one turn, and the first token of the answer.
    ///
    /// # Errors
    /// As [`Language::prompt`].
    pub fn lesson(&self, question: &str, answer: &str) -> Result<(Vec<u32>, usize), String> {
        let asked = [Message { role: Role::User, text: question }];
        let prompt = self.prompt(&asked)?;
        let mut tokens = Vec::new();
        match self.family.filter(|_| self.has_turns()) {
            Some(family) => {
                let turns = [asked[0], Message { role: Role::Assistant, text: answer }];
                let mut segments = Vec::new();
                render(family, &turns, false, &mut segments).map_err(|error| error.to_string())?;
                inference_template::encode(&self.tokenizer, family, &segments, &mut tokens)
                    .map_err(|error| error.to_string())?;
            }
            None => {
                tokens.extend_from_slice(&prompt);
                self.tokenizer
                    .encode(answer, false, false, &mut tokens)
                    .map_err(|error| error.to_string())?;
            }
        }
        let end = self.tokenizer.special().eos.or_else(|| self.tokenizer.ends().first().copied());
        tokens.extend(end.filter(|end| tokens.last() != Some(end) && !self.has_turns()));
        let known = prompt.iter().zip(&tokens).take_while(|(a, b)| a == b).count();
        Ok((tokens, known))
    }

    /// Whether `token` ends an answer.
    pub fn stops(&self, token: u32) -> bool {
        self.family.unwrap_or(Family::None).stops(&self.tokenizer, token)
    }

    /// The tokens at which compute stops by itself, as many as a request can name; [`Language::stops`] knows all.
    pub fn stop_tokens(&self) -> List<u32, MAX_STOP_TOKENS> {
        let bos = self.tokenizer.special().bos.filter(|token| self.stops(*token));
        let all: Vec<u32> = self.tokenizer.ends().iter().copied().chain(bos).collect();
        List::new(&all)
    }

    /// A string of the header, cut to a length that can be shown.
    fn text(&self, key: &str) -> Option<&'static str> {
        self.gguf.str(key).ok().flatten().filter(|text| !text.is_empty())
    }

    /// Whether the model was taught to answer from passages by quoting them.
    pub fn quotes(&self) -> bool {
        self.text(ANSWERS) == Some(QUOTATIONS)
    }

    /// The architecture.
    pub fn architecture(&self) -> &'static str {
        self.text("general.architecture").unwrap_or("unknown")
    }

    /// "llama 3.0M Q8_0".
    pub fn description(&self) -> String {
        format!("{} {} {}", self.architecture(), count(self.weights()), self.quantisation())
    }

    /// Number of weights.
    pub fn weights(&self) -> u64 {
        self.gguf.tensors().iter().fold(0, |sum: u64, tensor| sum.saturating_add(tensor.elements()))
    }

    /// The type that most weights have.
    pub fn quantisation(&self) -> &'static str {
        let tensors = self.gguf.tensors();
        let of = |kind| tensors.iter().filter(|t| t.kind == kind).map(|t| t.elements() as u128).sum::<u128>();
        tensors
            .iter()
            .map(|t| t.kind)
            .max_by_key(|kind| of(*kind))
            .map_or("without weights", |kind| kind.name())
    }

    /// What the header says of licences, line by line.
    pub fn license(&self) -> Vec<String> {
        let keys = [
            "general.license",
            "general.license.name",
            "general.license.link",
            "general.author",
            "general.url",
        ];
        let lines = keys.iter().filter_map(|key| Some(format!("{key}: {}", self.text(key)?)));
        lines.collect()
    }
}

/// A large number for people: "3.0M".
pub fn count(number: u64) -> String {
    match number {
        0..1_000 => format!("{number}"),
        1_000..1_000_000 => tenths(number, 1_000, "K"),
        1_000_000..1_000_000_000 => tenths(number, 1_000_000, "M"),
        _ => tenths(number, 1_000_000_000, "B"),
    }
}

/// A size in bytes, in binary units.
pub fn bytes(number: u64) -> String {
    match number {
        0..0x400 => format!("{number} B"),
        0x400..0x10_0000 => tenths(number, 1 << 10, " KiB"),
        0x10_0000..0x4000_0000 => tenths(number, 1 << 20, " MiB"),
        _ => tenths(number, 1 << 30, " GiB"),
    }
}

fn tenths(number: u64, unit: u128, name: &str) -> String {
    let tenths = (u128::from(number) * 10 + unit / 2) / unit;
    format!("{}.{}{name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_short() {
        assert_eq!(
            [0, 999, 260_032, 3_012_480, 1_100_048_384].map(count),
            ["0", "999", "260.0K", "3.0M", "1.1B"].map(String::from)
        );
    }
}
