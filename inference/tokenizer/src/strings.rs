// SPDX-License-Identifier: MIT
//! Token texts in place: one 32-bit offset per string of a GGUF array, no copy.

use alloc::vec::Vec;

use crate::error::TokenizerError;

/// Longest text of a token in bytes, so that a decoder's memory is bounded.
const LONGEST_TOKEN: usize = 1 << 16;

/// The elements of a GGUF array of strings as they lie in the file: each is a 64-bit little-endian length
/// and that many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawStrings<'a> {
    /// The key, for messages.
    pub key: &'static str,
    /// The elements, and possibly more of the file after them.
    pub bytes: &'a [u8],
    /// The number of elements that the file claims.
    pub count: u64,
}

impl<'a> RawStrings<'a> {
    /// Calls `each` with the offset and the text of every element.
    ///
    /// # Errors
    /// [`TokenizerError::Truncated`] when the bytes end early, and what `each` returns.
    pub fn for_each(
        &self,
        mut each: impl FnMut(u32, &'a [u8]) -> Result<(), TokenizerError>,
    ) -> Result<(), TokenizerError> {
        let mut at = 0usize;
        for _ in 0..self.count {
            let text = string_at(self.bytes, at).ok_or(TokenizerError::Truncated(self.key))?;
            let start = u32::try_from(at + 8).map_err(|_| TokenizerError::TooLarge(self.key))?;
            each(start, text)?;
            at += 8 + text.len();
        }
        Ok(())
    }

    /// The count as an index type, checked against what the bytes can hold at all.
    ///
    /// # Errors
    /// [`TokenizerError::Truncated`] when not even the lengths fit, [`TokenizerError::TooLarge`] above 2^24.
    pub fn checked_count(&self) -> Result<usize, TokenizerError> {
        if self.count > (self.bytes.len() / 8) as u64 {
            return Err(TokenizerError::Truncated(self.key));
        }
        usize::try_from(self.count).ok().filter(|n| *n <= 1 << 24).ok_or(TokenizerError::TooLarge(self.key))
    }
}

/// The string whose length field lies at `at`.
fn string_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let (length, rest) = bytes.get(at..)?.split_first_chunk::<8>()?;
    rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// All token texts by id.
#[derive(Debug)]
pub(crate) struct StringTable<'a> {
    bytes: &'a [u8],
    /// Where each text starts in `bytes`; its length stands in the eight bytes before.
    starts: Vec<u32>,
    longest: usize,
}

impl<'a> StringTable<'a> {
    /// Notes where each text lies.
    ///
    /// # Errors
    /// As [`RawStrings::for_each`]; a text that is not UTF-8 or too long; no memory.
    pub fn new(raw: RawStrings<'a>) -> Result<Self, TokenizerError> {
        let mut starts = Vec::new();
        starts.try_reserve_exact(raw.checked_count()?)?;
        let mut longest = 0;
        raw.for_each(|start, text| {
            let id = starts.len() as u32;
            core::str::from_utf8(text).map_err(|_| TokenizerError::TokenNotUtf8 { id })?;
            if text.len() > LONGEST_TOKEN {
                return Err(TokenizerError::TokenTooLong { id });
            }
            longest = longest.max(text.len());
            starts.push(start);
            Ok(())
        })?;
        Ok(Self { bytes: raw.bytes, starts, longest })
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The length of the longest text, in bytes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The text of token `id`; empty for an id that does not exist.
    pub fn get(&self, id: u32) -> &'a [u8] {
        let start = self.starts.get(id as usize).copied();
        start.and_then(|start| string_at(self.bytes, start as usize - 8)).unwrap_or(&[])
    }
}
