// SPDX-License-Identifier: MIT
//! What can be wrong with a grammar's text.

use core::fmt;

/// Why a grammar was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrammarError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// This was expected.
    Expected(&'static str),
    /// A backslash with something that is no escape, or no character.
    BadEscape,
    /// A range from a higher to a lower character.
    EmptyRange,
    /// A class without characters: nothing could match it.
    EmptyClass,
    /// `*`, `+`, `?` or `{` with nothing before it.
    NothingToRepeat,
    /// `{m,n}` with n below m, or above 1000.
    BadCount,
    /// The name is used here and defined nowhere.
    UndefinedRule,
    /// The name is defined here and before.
    DuplicateRule,
    /// There is no rule `root`.
    NoRoot,
    /// The rule can come back to itself without consuming anything.
    LeftRecursion,
    /// Groups within groups within groups.
    TooDeep,
    /// More rules or elements than the limits allow.
    TooLarge,
    /// The heap is full.
    OutOfMemory,
}

impl GrammarError {
    /// The error at byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, problem: Problem) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1;
        Self { line, column: before[start..].chars().count() as u32 + 1, problem }
    }
}

impl fmt::Display for GrammarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grammar:{}:{}: {}", self.line, self.column, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expected(what) => return write!(f, "expected {what}"),
            Self::BadEscape => "not an escape; there are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\^ \\xNN \\uNNNN \\UNNNNNNNN",
            Self::EmptyRange => "the range ends before it begins: write the lower character first",
            Self::EmptyClass => "the class has no characters, so nothing could match it",
            Self::NothingToRepeat => "nothing before this can be repeated: write it after a literal, class, rule or group",
            Self::BadCount => "a repetition is {m}, {m,} or {m,n} with m not above n and both at most 1000",
            Self::UndefinedRule => "this rule is not defined anywhere",
            Self::DuplicateRule => "this rule is defined twice",
            Self::NoRoot => "there is no rule 'root' to start from",
            Self::LeftRecursion => "this rule can come back to itself without consuming a character: write it right-recursive or with *",
            Self::TooDeep => "groups are nested more than 64 deep",
            Self::TooLarge => "the grammar is too large: at most 65536 elements in 8192 rules",
            Self::OutOfMemory => "not enough memory for this grammar",
        })
    }
}

impl core::error::Error for GrammarError {}
