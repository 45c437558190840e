// SPDX-License-Identifier: MIT
//! Documents to passages: at headings, paragraphs, functions and, where those are too long, sentences.
//!
//! One design rule: a chunk is a range of the document's text plus the heading it stands under, so a source can always be
//! shown at the place it came from. Limits: formats are recognised by name, not parsed in full; a chunk never exceeds
//! [`Limits::max`] bytes, and a document never [`MAX_DOCUMENT`].

mod blocks;
mod code;
mod incremental;
mod markup;
mod pack;

pub use incremental::{Plan, content_hash, plan};

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// The largest document, in bytes.
pub const MAX_DOCUMENT: usize = 8 << 20;

/// A document's format, which decides where it may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.md`
    Markdown,
    /// `.txt`
    Text,
    /// `.rst`
    Rst,
    /// `.c`, `.h`, `.rs`: code in braces.
    Braces,
    /// `.py`
    Python,
}

impl Format {
    /// By the ending of the file's name, in any case; `None` for files that are not read.
    pub fn of_path(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        let is = |other: &str| ending.eq_ignore_ascii_case(other);
        match () {
            () if is("md") => Some(Self::Markdown),
            () if is("txt") => Some(Self::Text),
            () if is("rst") => Some(Self::Rst),
            () if is("c") || is("h") || is("rs") => Some(Self::Braces),
            () if is("py") => Some(Self::Python),
            () => None,
        }
    }
}

/// Sizes of chunks, in bytes of text.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Neighbouring blocks of one section are joined up to this size.
    pub target: usize,
    /// Nothing is longer than this. MiniLM reads 256 tokens, some 1000 bytes of English.
    pub max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { target: 800, max: 1000 }
    }
}

/// A passage of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it lies in the document's text, in bytes.
    pub range: Range<usize>,
    /// The headings above it ("Install > From source"), or the first line of the function that it is part of.
    pub heading: String,
    /// [`content_hash`] of heading and text.
    pub hash: [u8; 16],
}

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkError {
    /// Not text: it holds a NUL byte, or much of it is no UTF-8.
    Binary,
    /// Larger than [`MAX_DOCUMENT`]: split the file.
    TooLarge { bytes: usize },
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => f.write_str("not a text file"),
            Self::TooLarge { bytes } => {
                write!(f, "{bytes} bytes, but {MAX_DOCUMENT} is the limit; split the file")
            }
        }
    }
}

impl core::error::Error for ChunkError {}

/// The text of a file: without byte order mark, wrong UTF-8 replaced.
///
/// # Errors
/// [`ChunkError`].
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ChunkError> {
    if bytes.len() > MAX_DOCUMENT {
        return Err(ChunkError::TooLarge { bytes: bytes.len() });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let wrong = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    if bytes.contains(&0) || wrong * 10 > text.len() { Err(ChunkError::Binary) } else { Ok(text) }
}

/// Cuts a document into chunks, in order, without overlap; blank text gives none.
pub fn chunk(text: &str, format: Format, limits: Limits) -> Vec<Chunk> {
    let blocks = match format {
        Format::Markdown => markup::markdown(text),
        Format::Rst => markup::rst(text),
        Format::Text => markup::paragraphs(text),
        Format::Braces => code::braces(text),
        Format::Python => code::python(text),
    };
    pack::pack(text, &blocks, limits)
}
