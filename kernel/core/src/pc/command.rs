//! What a person may tell the kernel through the boot loader: words on its command line.

use super::Physical;
use core::fmt;

/// Bytes of a command line that are kept.
pub const MAX_COMMAND: usize = 256;
/// The words that are understood.
const VERBOSE: &[u8] = b"verbose";
const MEMORY_TEST: &[u8] = b"memtest";

/// A boot loader's command line, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandLine {
    bytes: [u8; MAX_COMMAND],
    length: usize,
}

impl CommandLine {
    /// Nothing was said.
    pub const EMPTY: Self = Self { bytes: [0; MAX_COMMAND], length: 0 };

    /// The text at `address`: up to its zero byte, to `room` bytes, or to what is kept.
    pub(super) fn read(memory: &impl Physical, address: u64, room: u64) -> Self {
        let mut line = Self::EMPTY;
        while (line.length as u64) < room && line.length < MAX_COMMAND {
            match address.checked_add(line.length as u64).and_then(|at| memory.number::<1>(at)) {
                None | Some(0) => break,
                Some(byte) => line.bytes[line.length] = byte as u8,
            }
            line.length += 1;
        }
        line
    }

    fn words(&self) -> impl Iterator<Item = &[u8]> {
        let said = self.bytes.get(..self.length).unwrap_or(&[]);
        said.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty())
    }

    /// What it asks for.
    pub fn options(&self) -> Options {
        let has = |wanted| self.words().any(|word| word == wanted);
        Options { verbose: has(VERBOSE), memory_test: has(MEMORY_TEST) }
    }

    /// The first word that means nothing.
    pub fn unknown(&self) -> Option<Word<'_>> {
        self.words().find(|word| *word != VERBOSE && *word != MEMORY_TEST).map(Word)
    }
}

/// What the kernel was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Say what is found on the way to the first program.
    pub verbose: bool,
    /// Test the RAM in which the system keeps the model and all else that starts empty, instead of starting.
    pub memory_test: bool,
}

/// A word of a command line; shown with escapes, since it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a>(&'a [u8]);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}
