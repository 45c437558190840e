// SPDX-License-Identifier: MIT
//! Character classes of the regular expressions, and scanning over them.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The classes that the expressions tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// `\p{L}`
    Letter,
    /// `\p{N}`
    Number,
    /// `\s`
    Space,
    /// `\p{M}`
    Mark,
    /// `\p{P}`
    Punctuation,
    /// `\p{S}`
    Symbol,
    /// Controls, unassigned and private characters.
    Other,
}

/// The class of `c`.
pub(crate) fn class(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Number,
        _ if c.is_whitespace() => Class::Space,
        _ => match c.general_category_group() {
            GeneralCategoryGroup::Letter => Class::Letter,
            GeneralCategoryGroup::Number => Class::Number,
            GeneralCategoryGroup::Mark => Class::Mark,
            GeneralCategoryGroup::Punctuation => Class::Punctuation,
            GeneralCategoryGroup::Symbol => Class::Symbol,
            GeneralCategoryGroup::Separator | GeneralCategoryGroup::Other => Class::Other,
        },
    }
}

pub(crate) fn is_letter(c: char) -> bool {
    class(c) == Class::Letter
}

pub(crate) fn is_number(c: char) -> bool {
    class(c) == Class::Number
}

pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

pub(crate) fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// `[^\s\p{L}\p{N}]`
pub(crate) fn is_other(c: char) -> bool {
    !matches!(class(c), Class::Letter | Class::Number | Class::Space)
}

/// Bytes at the start of `text` whose characters are all `of`.
pub(crate) fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    let length = text.find(|c| !of(c)).unwrap_or(text.len());
    #[cfg(test)]
    crate::tests::count(1 + length);
    length
}

/// As [`run`], for at most `most` characters.
pub(crate) fn run_up_to(text: &str, most: usize, of: impl Fn(char) -> bool) -> usize {
    text.chars().take(most).take_while(|c| of(*c)).map(char::len_utf8).sum()
}

/// The first character, for texts that are not empty.
pub(crate) fn first(text: &str) -> char {
    text.chars().next().unwrap_or('\0')
}
