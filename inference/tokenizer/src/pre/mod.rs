// SPDX-License-Identifier: MIT
//! Pre-tokenizers: how a text is cut into words before byte pairs are merged inside them.
//!
//! A pre-tokenizer is a list of stages. The first cuts the text, each further one cuts every piece again, seeing
//! nothing but that piece. A stage is one of the regular expressions in the models' `tokenizer.json`, written by
//! hand: no regex engine, no backtracking, linear time.

mod cjk;
mod class;
mod names;
mod runs;
mod words;

pub(crate) use names::PreTokenizer;

use crate::error::EncodeError;

/// What a stage finds at the start of a text that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A piece of so many bytes.
    Match(usize),
    /// So many bytes (at least one character) at which no piece begins. Consecutive gaps are one piece.
    Gap(usize),
}

/// One cut. Must return a step of at least one character and end at a character boundary.
pub(crate) type Stage = fn(&str) -> Step;

/// Takes the pieces in order.
pub(crate) type Sink<'s> = dyn FnMut(&str) -> Result<(), EncodeError> + 's;

/// Cuts `text` by all `stages`.
pub(crate) fn split(stages: &[Stage], text: &str, sink: &mut Sink<'_>) -> Result<(), EncodeError> {
    let Some((stage, stages)) = stages.split_first() else { return sink(text) };
    let (mut gap, mut at) = (0, 0);
    while at < text.len() {
        let (found, length) = match stage(&text[at..]) {
            Step::Match(length) => (true, length),
            Step::Gap(length) => (false, length),
        };
        if found {
            if gap < at {
                split(stages, &text[gap..at], sink)?;
            }
            split(stages, &text[at..at + length], sink)?;
            gap = at + length;
        }
        at += length;
    }
    if gap < text.len() { split(stages, &text[gap..], sink) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::PreTokenizer;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// The regular expressions themselves, run by a regex engine: see `tests/data/pre_tokenizers.py`.
    #[test]
    fn texts_are_cut_as_by_the_regular_expressions() {
        let file = include_str!("../../tests/data/pre_tokenizers.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        for (name, cases) in file.as_object().unwrap() {
            let pre = PreTokenizer::named(Some(name)).unwrap();
            for case in cases.as_array().unwrap() {
                let expected: Vec<&str> =
                    case.as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
                let mut pieces: Vec<String> = Vec::new();
                pre.split(&expected.concat(), &mut |piece| {
                    pieces.push(piece.into());
                    Ok(())
                })
                .unwrap();
                assert_eq!(pieces, expected, "{name}");
            }
        }
    }
}
