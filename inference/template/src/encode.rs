// SPDX-License-Identifier: MIT
//! From segments to tokens.

use alloc::string::String;
use alloc::vec::Vec;

use inference_tokenizer::{EncodeError, Tokenizer};

use crate::{Family, Segment};

/// Appends the tokens of `segments`, rendered for `family`.
///
/// Neighbouring texts are encoded as one, as the model saw them in training. No text becomes one of the family's
/// marks or any control token.
///
/// # Errors
/// As [`Tokenizer::encode`].
pub fn encode(
    tokenizer: &Tokenizer<'_>,
    family: Family,
    segments: &[Segment<'_>],
    out: &mut Vec<u32>,
) -> Result<(), EncodeError> {
    let mut forbidden = Vec::new();
    forbidden.extend(family.marks().iter().filter_map(|mark| tokenizer.special_token(mark)));
    let mut run = Run { tokenizer, forbidden, text: String::new(), after: None };
    for segment in segments {
        run.add(*segment, out)?;
    }
    run.flush(out)
}

/// Text that waits for the next special token.
struct Run<'t, 'a> {
    tokenizer: &'t Tokenizer<'a>,
    forbidden: Vec<u32>,
    text: String,
    /// The special token before the text.
    after: Option<u32>,
}

impl Run<'_, '_> {
    fn add(&mut self, segment: Segment<'_>, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        match segment {
            Segment::Begin => self.tokenizer.push_begin(out),
            Segment::End => match self.tokenizer.special().eos {
                Some(eos) => self.special(eos, out),
                None => Ok(()),
            },
            Segment::Special(mark) => match self.tokenizer.special_token(mark) {
                Some(token) => self.special(token, out),
                None => self.text(mark),
            },
            Segment::Literal(text) | Segment::Text(text) => self.text(text),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        self.text.try_reserve(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn special(&mut self, token: u32, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        self.flush(out)?;
        self.after = Some(token);
        out.try_reserve(1)?;
        out.push(token);
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        if !self.text.is_empty() {
            self.tokenizer.encode_after(self.after, &self.text, &self.forbidden, out)?;
            self.text.clear();
        }
        Ok(())
    }
}
