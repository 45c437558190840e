// SPDX-License-Identifier: MIT
//! Byte-level byte-pair encoding: a word starts as its bytes, and the adjacent pair of lowest rank is merged first,
//! the leftmost among equals.
//!
//! Merges do not cross words, which the pre-tokenizer cuts; a word of n bytes costs O(n log n).

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::alphabet;
use crate::error::{EncodeError, TokenizerError};
use crate::merges::Merges;
use crate::metadata::Metadata;
use crate::pre::PreTokenizer;
use crate::spm::push;
use crate::symbols::{NONE, Symbols};
use crate::vocabulary::Vocabulary;

/// What byte-pair encoding needs besides the tokens.
#[derive(Debug)]
pub(crate) struct Bpe {
    pub pre: PreTokenizer,
    merges: Merges,
    /// The token of each single byte.
    bytes: [u32; 256],
}

impl Bpe {
    /// # Errors
    /// An unknown pre-tokenizer, or a merge list that does not fit the tokens.
    pub fn new(
        metadata: &Metadata<'_, '_>,
        vocabulary: &Vocabulary<'_>,
        pre: PreTokenizer,
    ) -> Result<Self, TokenizerError> {
        let token = |byte: u8| {
            let mut utf8 = [0; 4];
            let name = alphabet::char_of(byte).encode_utf8(&mut utf8);
            vocabulary.find_text(name.as_bytes()).unwrap_or(NONE)
        };
        let merges = Merges::new(metadata.merges()?, vocabulary)?;
        Ok(Self { pre, merges, bytes: core::array::from_fn(|byte| token(byte as u8)) })
    }

    /// Appends the tokens of `text`.
    ///
    /// # Errors
    /// No memory.
    pub fn encode(
        &self,
        vocabulary: &Vocabulary<'_>,
        text: &str,
        out: &mut Vec<u32>,
    ) -> Result<(), EncodeError> {
        let mut word = Word::new(self, vocabulary);
        self.pre.split(text, &mut |piece| word.encode(piece, out))
    }
}

/// (rank, left symbol, right symbol, bytes of both); the least comes first.
type Candidate = Reverse<(u32, u32, u32, u32)>;

/// The work on one word; the memory is used again for the next.
struct Word<'t, 'a> {
    bpe: &'t Bpe,
    vocabulary: &'t Vocabulary<'a>,
    symbols: Symbols,
    /// The token of each symbol.
    tokens: Vec<u32>,
    queue: BinaryHeap<Candidate>,
    /// The word in GPT-2's alphabet.
    spelled: Vec<u8>,
}

impl<'t, 'a> Word<'t, 'a> {
    fn new(bpe: &'t Bpe, vocabulary: &'t Vocabulary<'a>) -> Self {
        let (symbols, queue) = (Symbols::default(), BinaryHeap::new());
        Self { bpe, vocabulary, symbols, tokens: Vec::new(), queue, spelled: Vec::new() }
    }

    fn encode(&mut self, word: &str, out: &mut Vec<u32>) -> Result<(), EncodeError> {
        if self.bpe.pre.ignore_merges()
            && let Some(token) = self.whole(word)
        {
            return push(out, token);
        }
        self.symbols.set_bytes(word.len())?;
        self.tokens.clear();
        self.tokens.try_reserve(word.len())?;
        self.tokens.extend(word.bytes().map(|byte| self.bpe.bytes[usize::from(byte)]));
        for left in 0..word.len() {
            self.consider(left as u32)?;
        }
        while let Some(Reverse(candidate)) = self.queue.pop() {
            self.merge(candidate)?;
        }
        // As in llama.cpp, a byte for which the vocabulary has no token is left out.
        let kept = self.symbols.starts().map(|at| self.tokens[at]).filter(|token| *token != NONE);
        for token in kept {
            push(out, token)?;
        }
        Ok(())
    }

    /// The token that is the whole word.
    fn whole(&mut self, word: &str) -> Option<u32> {
        if word.len() > self.vocabulary.longest() {
            return None;
        }
        self.spelled.clear();
        self.spelled.try_reserve(2 * word.len()).ok()?;
        for byte in word.bytes() {
            let mut utf8 = [0; 4];
            self.spelled.extend_from_slice(alphabet::char_of(byte).encode_utf8(&mut utf8).as_bytes());
        }
        self.vocabulary.find_text(&self.spelled)
    }

    /// Queues the pair that starts at symbol `left` if it can be merged.
    fn consider(&mut self, left: u32) -> Result<(), EncodeError> {
        let Some((right, range)) = self.symbols.pair(left) else { return Ok(()) };
        let (first, second) = (self.tokens[left as usize], self.tokens[right as usize]);
        if let Some(rank) = self.bpe.merges.rank(first, second) {
            self.queue.try_reserve(1)?;
            self.queue.push(Reverse((rank, left, right, range.len() as u32)));
        }
        Ok(())
    }

    fn merge(&mut self, (_, left, right, length): (u32, u32, u32, u32)) -> Result<(), EncodeError> {
        let [first, second] = [left, right].map(|symbol| self.vocabulary.text(self.tokens[symbol as usize]));
        let Some(token) = self.vocabulary.find_joined(first, second) else { return Ok(()) };
        if !self.symbols.join(left, right, length) {
            return Ok(());
        }
        self.tokens[left as usize] = token;
        if let Some(before) = self.symbols.before(left) {
            self.consider(before)?;
        }
        self.consider(left)
    }
}

/// Appends the bytes that a token's text spells in GPT-2's alphabet.
pub(crate) fn unspell(text: &[u8], out: &mut Vec<u8>) {
    for character in core::str::from_utf8(text).unwrap_or("").chars() {
        match alphabet::byte_of(character) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}
