// SPDX-License-Identifier: MIT
//! Special tokens in a text: where they stand, and which of them count.

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::{EncodeError, TokenizerError};
use crate::vocabulary::{TokenKind, Vocabulary};

/// A part of a text that is to be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fragment {
    /// Ordinary text, as a range of bytes.
    Text(Range<usize>),
    /// A special token that stood in the text.
    Token(u32),
}

/// Which special tokens a text may contain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'f> {
    /// All of them: the text is trusted.
    All,
    /// User-defined ones, which are ordinary text kept whole, without these.
    UserDefinedBut(&'f [u32]),
}

impl Wanted<'_> {
    fn has(&self, id: u32, kind: TokenKind) -> bool {
        match self {
            Self::All => is_special(kind),
            Self::UserDefinedBut(but) => kind == TokenKind::UserDefined && !but.contains(&id),
        }
    }
}

/// Finds special tokens in texts.
///
/// Longer ones are found first, as in llama.cpp. One pass over the text per length, and only positions are tried
/// whose byte begins a special token.
#[derive(Debug)]
pub(crate) struct SpecialFinder {
    /// Lengths and first bytes of control, unknown and user-defined tokens.
    all: Shapes,
    /// The same of user-defined tokens alone.
    user: Shapes,
    /// White space after these (sorted) is dropped; Phi-3 was trained so.
    strip_after: Vec<u32>,
}

impl SpecialFinder {
    /// # Errors
    /// No memory.
    pub fn new(vocabulary: &Vocabulary<'_>, name: &str) -> Result<Self, TokenizerError> {
        let (mut all, mut user) = (Shapes::default(), Shapes::default());
        let mut strip_after = Vec::new();
        let strips = strips_space(name);
        for id in (0..vocabulary.len()).filter(|id| is_special(vocabulary.kind(*id))) {
            let text = vocabulary.text(id);
            all.add(text)?;
            if vocabulary.kind(id) == TokenKind::UserDefined {
                user.add(text)?;
            }
            if strips && !matches!(text, b"<unk>" | b"<s>" | b"<|endoftext|>") {
                strip_after.try_reserve(1)?;
                strip_after.push(id);
            }
        }
        Ok(Self { all, user, strip_after })
    }

    /// Splits `text` at the special tokens that are `wanted`.
    ///
    /// # Errors
    /// No memory.
    pub fn split(
        &self,
        vocabulary: &Vocabulary<'_>,
        text: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Fragment>, EncodeError> {
        let shapes = if matches!(wanted, Wanted::All) { &self.all } else { &self.user };
        let mut fragments = Vec::new();
        fragments.try_reserve(1)?;
        if !text.is_empty() {
            fragments.push(Fragment::Text(0..text.len()));
        }
        for length in shapes.lengths.iter().rev() {
            let wanted = |id: u32| wanted.has(id, vocabulary.kind(id));
            let scan = Scan { text, length: *length as usize, first: &shapes.first, vocabulary };
            if scan.occurs(&fragments, &wanted) {
                fragments = self.split_once(&scan, &fragments, &wanted)?;
            }
        }
        Ok(fragments)
    }

    /// Takes the special tokens of one length out of the text fragments.
    fn split_once(
        &self,
        scan: &Scan<'_, '_>,
        fragments: &[Fragment],
        wanted: &impl Fn(u32) -> bool,
    ) -> Result<Vec<Fragment>, EncodeError> {
        let mut split = Vec::new();
        for fragment in fragments {
            let Fragment::Text(range) = fragment else {
                split.try_reserve(1)?;
                split.push(fragment.clone());
                continue;
            };
            let mut rest = range.clone();
            while let Some((at, id)) = scan.next(rest.clone(), wanted) {
                split.try_reserve(2)?;
                if at > rest.start {
                    split.push(Fragment::Text(rest.start..at));
                }
                split.push(Fragment::Token(id));
                let after = scan.text.get(at + scan.length..rest.end).unwrap_or("");
                rest.start = rest.end - self.strip_after(id, after).len();
            }
            if !rest.is_empty() {
                split.try_reserve(1)?;
                split.push(Fragment::Text(rest));
            }
        }
        Ok(split)
    }

    /// What of `text` counts after special token `id`.
    pub fn strip_after<'t>(&self, id: u32, text: &'t str) -> &'t str {
        match self.strip_after.binary_search(&id) {
            Ok(_) => text.trim_start_matches(|c: char| matches!(c, ' ' | '\t'..='\r')),
            Err(_) => text,
        }
    }
}

fn is_special(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Control | TokenKind::Unknown | TokenKind::UserDefined)
}

/// Whether the model was trained to see no white space after special tokens; the file does not say so.
fn strips_space(name: &str) -> bool {
    let contains = |part: &[u8]| name.as_bytes().windows(part.len()).any(|at| at.eq_ignore_ascii_case(part));
    contains(b"phi-3") || contains(b"phi3")
}

/// Lengths (sorted) and first bytes of some texts.
#[derive(Debug)]
struct Shapes {
    lengths: Vec<u32>,
    first: [bool; 256],
}

impl Default for Shapes {
    fn default() -> Self {
        Self { lengths: Vec::new(), first: [false; 256] }
    }
}

impl Shapes {
    fn add(&mut self, text: &[u8]) -> Result<(), TokenizerError> {
        let Some(first) = text.first() else { return Ok(()) };
        self.first[usize::from(*first)] = true;
        if let Err(place) = self.lengths.binary_search(&(text.len() as u32)) {
            self.lengths.try_reserve(1)?;
            self.lengths.insert(place, text.len() as u32);
        }
        Ok(())
    }
}

/// The search for special tokens of one length.
struct Scan<'t, 'a> {
    text: &'t str,
    length: usize,
    first: &'t [bool; 256],
    vocabulary: &'t Vocabulary<'a>,
}

impl Scan<'_, '_> {
    /// The first wanted token in `range`, with its position.
    fn next(&self, range: Range<usize>, wanted: &impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let text = self.text.as_bytes();
        let last = range.end.checked_sub(self.length)?;
        (range.start..=last).filter(|at| self.first[usize::from(text[*at])]).find_map(|at| {
            let id = self.vocabulary.find(&text[at..at + self.length])?;
            wanted(id).then_some((at, id))
        })
    }

    fn occurs(&self, fragments: &[Fragment], wanted: &impl Fn(u32) -> bool) -> bool {
        fragments.iter().any(|fragment| match fragment {
            Fragment::Text(range) => self.next(range.clone(), wanted).is_some(),
            Fragment::Token(_) => false,
        })
    }
}
