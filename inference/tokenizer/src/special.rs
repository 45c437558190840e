// SPDX-License-Identifier: MIT
//! Special tokens: which ids they are, and where they stand in a text.

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::{EncodeError, TokenizerError};
use crate::metadata::{Metadata, Model};
use crate::vocabulary::{TokenKind, Vocabulary};

/// Where the unknown token is named.
pub(crate) const UNKNOWN: &str = "tokenizer.ggml.unknown_token_id";

/// Texts that end generation in the model families of today, whatever `eos_token_id` says; as in llama.cpp
/// (`src/llama-vocab.cpp`), whose list of fill-in-the-middle ends is included.
const ENDS: [&str; 30] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<reponame>",
    "<|file_sep|>",
];

/// The ids that the file gives a role, and what is added to a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begins a sequence (`[CLS]` for WordPiece).
    pub bos: Option<u32>,
    /// Ends a sequence.
    pub eos: Option<u32>,
    /// Ends a WordPiece sequence (`[SEP]`).
    pub sep: Option<u32>,
    /// Stands for what the vocabulary cannot express.
    pub unknown: Option<u32>,
    /// Fills up batches.
    pub padding: Option<u32>,
    /// Whether `bos` goes before a text.
    pub add_bos: bool,
    /// Whether `eos` goes after a text.
    pub add_eos: bool,
}

impl SpecialTokens {
    /// The ids from the file, else the ones llama.cpp assumes for `model`.
    ///
    /// # Errors
    /// An id that is no token; a token that is to be added and not named.
    pub(crate) fn read(
        metadata: &Metadata<'_, '_>,
        tokens: u32,
        add_bos: bool,
    ) -> Result<Self, TokenizerError> {
        let model = metadata.model;
        let token = |key, assumed: [Option<u32>; 2]| {
            let [spm, wpm] = assumed.map(|id| id.filter(|id| *id < tokens));
            let assumed = match model {
                Model::Spm => spm,
                Model::Wpm => wpm,
                Model::Bpe => None,
            };
            Ok::<_, TokenizerError>(metadata.token(key, tokens)?.or(assumed))
        };
        let cls = metadata.token("tokenizer.ggml.cls_token_id", tokens)?.filter(|_| model == Model::Wpm);
        let this = Self {
            bos: cls.or(token("tokenizer.ggml.bos_token_id", [Some(1), Some(101)])?),
            eos: token("tokenizer.ggml.eos_token_id", [Some(2), None])?,
            sep: token("tokenizer.ggml.seperator_token_id", [None, Some(102)])?,
            unknown: token(UNKNOWN, [Some(0), Some(100)])?,
            padding: token("tokenizer.ggml.padding_token_id", [None, Some(0)])?,
            add_bos: metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(add_bos),
            add_eos: metadata.flag("tokenizer.ggml.add_eos_token")?.unwrap_or(false),
        };
        this.check(model)
    }

    fn check(self, model: Model) -> Result<Self, TokenizerError> {
        if model == Model::Wpm {
            let named = self.bos.and(self.sep).and(self.unknown);
            return named
                .map(|_| self)
                .ok_or(TokenizerError::NoSuchSpecialToken("tokenizer.ggml.model = bert"));
        }
        if self.add_bos && self.bos.is_none() {
            return Err(TokenizerError::NoSuchSpecialToken("tokenizer.ggml.add_bos_token"));
        }
        if self.add_eos && self.eos.is_none() {
            return Err(TokenizerError::NoSuchSpecialToken("tokenizer.ggml.add_eos_token"));
        }
        Ok(self)
    }
}

/// The tokens that end generation: those of [`ENDS`] by text, and the `eos`, `eot` and `eom` that the file names.
/// Sorted.
pub(crate) fn end_tokens(
    metadata: &Metadata<'_, '_>,
    vocabulary: &Vocabulary<'_>,
    special: &SpecialTokens,
) -> Result<Vec<u32>, TokenizerError> {
    let mut ends: Vec<u32> = ENDS.iter().filter_map(|text| vocabulary.find(text.as_bytes())).collect();
    ends.extend(special.eos);
    for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
        ends.extend(metadata.token(key, vocabulary.len())?);
    }
    drop_parts_of_turns(vocabulary, &mut ends);
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}

/// Where a turn has several parts (`<|return|>` and `<|call|>` exist), `<|end|>` ends only a part; and where
/// `<|tool_response>` exists, `</s>` is ordinary text.
fn drop_parts_of_turns(vocabulary: &Vocabulary<'_>, ends: &mut Vec<u32>) {
    let find = |text: &str| vocabulary.find(text.as_bytes());
    let parts = find("<|return|>").and(find("<|call|>")).or(find("<|calls|>").and(find("<|flush|>")));
    if let (Some(_), Some(end)) = (parts, find("<|end|>")) {
        ends.retain(|id| *id != end);
    }
    if let (Some(_), Some(end)) = (find("<|tool_response>"), find("</s>")) {
        ends.retain(|id| *id != end);
    }
}

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
