// SPDX-License-Identifier: MIT
//! SentencePiece's byte-pair encoding: the adjacent pair whose joined text is the token of highest score is merged
//! first, the leftmost among equals; what is no token in the end is written as bytes.
//!
//! Every merge removes a symbol and adds at most two candidates, each found by one bounded lookup, so a text of
//! n characters costs O(n log n) whatever it consists of.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::error::EncodeError;
use crate::symbols::{NONE, Symbols};
use crate::vocabulary::Vocabulary;

/// U+2581, which stands for a space in the vocabulary.
pub(crate) const SPACE: &[u8] = "\u{2581}".as_bytes();

/// Two neighbouring symbols that could become one token.
#[derive(Debug)]
struct Candidate {
    score: f32,
    left: u32,
    right: u32,
    /// Bytes of both: a candidate is stale when one of them has grown since.
    length: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// The tokens that stand for single bytes.
#[derive(Debug)]
pub(crate) struct ByteTokens([u32; 256]);

impl ByteTokens {
    /// `<0xNN>`, else the byte itself, else the unknown token.
    pub fn new(vocabulary: &Vocabulary<'_>, unknown: Option<u32>) -> Self {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let token = |byte: u8| {
            let name = [b'<', b'0', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)], b'>'];
            vocabulary.find(&name).or_else(|| vocabulary.find(&[byte])).or(unknown).unwrap_or(NONE)
        };
        Self(core::array::from_fn(|byte| token(byte as u8)))
    }

    pub fn get(&self, byte: u8) -> Result<u32, EncodeError> {
        match self.0[usize::from(byte)] {
            NONE => Err(EncodeError::NoTokenForByte(byte)),
            id => Ok(id),
        }
    }
}

/// Replaces each space by U+2581, after one more at the start if `prefix`.
pub(crate) fn escape_spaces(text: &str, prefix: bool) -> Result<Vec<u8>, EncodeError> {
    let spaces = text.bytes().filter(|byte| *byte == b' ').count() + usize::from(prefix);
    let mut escaped = Vec::new();
    escaped.try_reserve_exact(text.len() + 3 * spaces)?;
    if prefix {
        escaped.extend_from_slice(SPACE);
    }
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.extend_from_slice(SPACE),
            _ => escaped.push(byte),
        }
    }
    Ok(escaped)
}

/// Appends the tokens of `text`, in which spaces are already escaped.
///
/// # Errors
/// No memory, or a byte that the vocabulary cannot express.
pub(crate) fn encode(
    vocabulary: &Vocabulary<'_>,
    bytes: &ByteTokens,
    text: &[u8],
    out: &mut Vec<u32>,
) -> Result<(), EncodeError> {
    let mut merger =
        Merger { vocabulary, text, symbols: Symbols::characters(text)?, queue: BinaryHeap::new() };
    merger.queue.try_reserve(merger.symbols.len())?;
    for left in 0..merger.symbols.len() {
        merger.consider(left as u32)?;
    }
    while let Some(candidate) = merger.queue.pop() {
        merger.merge(&candidate)?;
    }
    merger.emit(bytes, out)
}

struct Merger<'t, 'a> {
    vocabulary: &'t Vocabulary<'a>,
    text: &'t [u8],
    symbols: Symbols,
    queue: BinaryHeap<Candidate>,
}

impl Merger<'_, '_> {
    /// Queues the pair that starts at symbol `left` if its text is a token.
    fn consider(&mut self, left: u32) -> Result<(), EncodeError> {
        let Some((right, range)) = self.symbols.pair(left) else { return Ok(()) };
        let length = range.len() as u32;
        if let Some(token) = self.vocabulary.find_text(&self.text[range]) {
            self.queue.try_reserve(1)?;
            self.queue.push(Candidate { score: self.vocabulary.score(token) + 0.0, left, right, length });
        }
        Ok(())
    }

    fn merge(&mut self, candidate: &Candidate) -> Result<(), EncodeError> {
        if !self.symbols.join(candidate.left, candidate.right, candidate.length) {
            return Ok(());
        }
        if let Some(before) = self.symbols.before(candidate.left) {
            self.consider(before)?;
        }
        self.consider(candidate.left)
    }

    fn emit(&self, bytes: &ByteTokens, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        for range in self.symbols.ranges() {
            let piece = &self.text[range];
            match self.vocabulary.find_text(piece) {
                Some(token) => push(out, token)?,
                None => piece.iter().try_for_each(|byte| push(out, bytes.get(*byte)?))?,
            }
        }
        Ok(())
    }
}

/// `Vec::push` that reports a full heap.
pub(crate) fn push(out: &mut Vec<u32>, token: u32) -> Result<(), EncodeError> {
    out.try_reserve(1)?;
    out.push(token);
    Ok(())
}

/// Appends `text` with every U+2581 turned back into a space.
pub(crate) fn unescape_spaces(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some((first, rest)) = text.split_first() {
        match text.strip_prefix(SPACE) {
            Some(after) => {
                out.push(b' ');
                text = after;
            }
            None => {
                out.push(*first);
                text = rest;
            }
        }
    }
}
