// SPDX-License-Identifier: MIT
//! The merge list of a byte-pair vocabulary: from two token ids to the rank of their merge.
//!
//! Twelve bytes per merge, sorted; the list's strings are read once, from the file.

use alloc::vec::Vec;

use crate::error::TokenizerError;
use crate::strings::RawStrings;
use crate::vocabulary::Vocabulary;

/// Left token, right token, rank.
type Merge = (u32, u32, u32);

/// Ranks by pair; lower ranks merge first.
#[derive(Debug)]
pub(crate) struct Merges(Vec<Merge>);

impl Merges {
    /// # Errors
    /// A merge is no pair, or names a text that is no token; no memory.
    pub fn new(list: RawStrings<'_>, vocabulary: &Vocabulary<'_>) -> Result<Self, TokenizerError> {
        let mut merges: Vec<Merge> = Vec::new();
        merges.try_reserve_exact(list.checked_count()?)?;
        list.for_each(|_, text| {
            let merge = merges.len() as u32;
            let (left, right) = split(text).ok_or(TokenizerError::MalformedMerge { merge })?;
            let ids = vocabulary.find(left).zip(vocabulary.find(right));
            let (left, right) = ids.ok_or(TokenizerError::MergeOfUnknownToken { merge })?;
            merges.push((left, right, merge));
            Ok(())
        })?;
        merges.sort_unstable();
        Ok(Self(merges))
    }

    /// The rank of merging `left` and `right`; the first where the list has the pair twice.
    pub fn rank(&self, left: u32, right: u32) -> Option<u32> {
        #[cfg(test)]
        crate::tests::count(1);
        let at = self.0.partition_point(|merge| (merge.0, merge.1) < (left, right));
        self.0.get(at).filter(|merge| (merge.0, merge.1) == (left, right)).map(|merge| merge.2)
    }
}

/// The texts before and after the first space that is not at the start.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().skip(1).position(|byte| *byte == b' ')? + 1;
    let (left, right) = (&text[..space], &text[space + 1..]);
    (!right.is_empty()).then_some((left, right))
}
