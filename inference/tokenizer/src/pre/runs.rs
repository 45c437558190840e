// SPDX-License-Identifier: MIT
//! Stages that look for runs of one class and leave the rest as it is.

use super::Step;
use super::class::{Class, class, first, is_letter, is_newline, is_number, is_space, run, run_up_to};

/// A run of `of` if there is one, else the gap up to the next.
fn run_or_gap(text: &str, most: usize, of: impl Fn(char) -> bool) -> Step {
    match run_up_to(text, most, &of) {
        0 => Step::Gap(run(text, |c| !of(c))),
        length => Step::Match(length),
    }
}

/// `\s?` and a run of `of`.
fn spaced_run(text: &str, of: impl Fn(char) -> bool) -> Step {
    let space = run_up_to(text, 1, is_space);
    match run(&text[space..], &of) {
        0 => Step::Gap(first(text).len_utf8()),
        length => Step::Match(space + length),
    }
}

/// `\p{N}`
pub(crate) fn digit(text: &str) -> Step {
    run_or_gap(text, 1, is_number)
}

/// `\p{N}{1,3}`
pub(crate) fn three_digits(text: &str) -> Step {
    run_or_gap(text, 3, is_number)
}

/// `\p{N}+`
pub(crate) fn digits(text: &str) -> Step {
    run_or_gap(text, usize::MAX, is_number)
}

/// `[0-9][0-9][0-9]`
pub(crate) fn exactly_three_digits(text: &str) -> Step {
    match run_up_to(text, 3, |c| c.is_ascii_digit()) {
        3 => Step::Match(3),
        _ => Step::Gap(first(text).len_utf8()),
    }
}

/// `[\r\n]`
pub(crate) fn newline(text: &str) -> Step {
    run_or_gap(text, 1, is_newline)
}

/// `[^\n]+|[\n]+`
pub(crate) fn lines(text: &str) -> Step {
    let newlines = text.starts_with('\n');
    Step::Match(run(text, |c| (c == '\n') == newlines))
}

/// `\s?\p{L}+`
pub(crate) fn spaced_letters(text: &str) -> Step {
    spaced_run(text, is_letter)
}

/// `\s?\p{P}+`
pub(crate) fn spaced_punctuation(text: &str) -> Step {
    spaced_run(text, |c| class(c) == Class::Punctuation)
}

/// `\s+$`
pub(crate) fn trailing_space(text: &str) -> Step {
    match run(text, is_space) {
        0 => Step::Gap(run(text, |c| !is_space(c))),
        length if length == text.len() => Step::Match(length),
        length => Step::Gap(length),
    }
}

/// ``[\p{P}\$\+<=>\^~\|`]+``
pub(crate) fn falcon_punctuation(text: &str) -> Step {
    run_or_gap(text, usize::MAX, |c| c == '`' || is_default_punctuation(c))
}

/// `[\p{P}\$\+<=>\^~\|]+`
pub(crate) fn default_punctuation(text: &str) -> Step {
    run_or_gap(text, usize::MAX, is_default_punctuation)
}

fn is_default_punctuation(c: char) -> bool {
    matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '~' | '|') || class(c) == Class::Punctuation
}

/// ` ?[^(\s|.,!?…。，、।۔،)]+`
pub(crate) fn bloom(text: &str) -> Step {
    let inside = |c: char| {
        !is_space(c)
            && !matches!(
                c,
                '(' | '|' | '.' | ',' | '!' | '?' | '…' | '。' | '，' | '、' | '।' | '۔' | '،' | ')'
            )
    };
    let space = usize::from(text.starts_with(' '));
    match run(&text[space..], inside) {
        0 => Step::Gap(first(text).len_utf8()),
        length => Step::Match(space + length),
    }
}
