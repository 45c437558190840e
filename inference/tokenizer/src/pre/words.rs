// SPDX-License-Identifier: MIT
//! Stages that cut text into words, numbers, punctuation and white space: the alternations of the big families.
//!
//! Alternatives are tried in the order of the expressions, the first that matches counts.

use super::Step;
use super::class::{
    Class, class, first, is_letter, is_newline, is_number, is_other, is_space, run, run_up_to,
};

/// The length of `'s 't 'm 'd 're 've 'll` at the start.
fn contraction(text: &str, any_case: bool) -> Option<usize> {
    let rest = text.strip_prefix('\'')?.as_bytes();
    let is = |ending: &[u8]| {
        let start = rest.get(..ending.len());
        start.is_some_and(|start| if any_case { start.eq_ignore_ascii_case(ending) } else { start == ending })
    };
    let ending = [&b"s"[..], b"t", b"m", b"d", b"re", b"ve", b"ll"].into_iter().find(|ending| is(ending))?;
    Some(1 + ending.len())
}

/// ` ?` and at least one character `of`.
fn after_space(text: &str, of: impl Fn(char) -> bool) -> Option<usize> {
    let space = usize::from(text.starts_with(' '));
    let length = run(&text[space..], of);
    (length > 0).then_some(space + length)
}

/// `\s+(?!\S)|\s+`: white space, without its last character where something follows.
fn space(text: &str) -> Option<usize> {
    let length = run(text, is_space);
    let last = text[..length].chars().next_back()?.len_utf8();
    let followed = length < text.len() && length > last;
    Some(if followed { length - last } else { length })
}

/// `\s*[\r\n]+`: white space up to its last line break.
fn lines(text: &str) -> Option<usize> {
    let length = run(text, is_space);
    text[..length].rfind(is_newline).map(|at| at + 1)
}

/// `[^\r\n\p{L}\p{N}]?` before `word`.
fn after_one(text: &str, word: impl Fn(&str) -> Option<usize>) -> Option<usize> {
    let c = first(text);
    if is_newline(c) || is_letter(c) || is_number(c) {
        return word(text);
    }
    word(&text[c.len_utf8()..]).map(|length| c.len_utf8() + length).or_else(|| word(text))
}

/// At least one character `of`.
fn some(text: &str, of: impl Fn(char) -> bool) -> Option<usize> {
    Some(run(text, of)).filter(|length| *length > 0)
}

fn step(text: &str, found: Option<usize>) -> Step {
    found.map_or_else(|| Step::Gap(first(text).len_utf8()), Step::Match)
}

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
pub(crate) fn gpt2(text: &str) -> Step {
    let found = contraction(text, false)
        .or_else(|| after_space(text, is_letter))
        .or_else(|| after_space(text, is_number))
        .or_else(|| after_space(text, is_other))
        .or_else(|| space(text));
    step(text, found)
}

/// What differs between the expressions that follow cl100k.
#[derive(Clone, Copy)]
struct Cl100k {
    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)` comes first.
    contractions: bool,
    /// Words may hold `\p{M}`.
    marks: bool,
    /// Most digits of a number.
    digits: usize,
    /// `[\r\n]*` after punctuation.
    newlines: bool,
}

impl Cl100k {
    /// `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
    fn step(self, text: &str) -> Step {
        let in_word = |c| is_letter(c) || (self.marks && class(c) == Class::Mark);
        let apart = |c| is_other(c) && !(self.marks && class(c) == Class::Mark);
        let found = contraction(text, true)
            .filter(|_| self.contractions)
            .or_else(|| after_one(text, |rest| some(rest, in_word)))
            .or_else(|| Some(run_up_to(text, self.digits, is_number)).filter(|length| *length > 0))
            .or_else(|| {
                let length = after_space(text, apart)?;
                Some(length + if self.newlines { run(&text[length..], is_newline) } else { 0 })
            })
            .or_else(|| lines(text))
            .or_else(|| space(text));
        step(text, found)
    }
}

const LLAMA3: Cl100k = Cl100k { contractions: true, marks: false, digits: 3, newlines: true };

/// Numbers of up to three digits.
pub(crate) fn llama3(text: &str) -> Step {
    LLAMA3.step(text)
}

/// As llama3 with numbers of one digit.
pub(crate) fn qwen2(text: &str) -> Step {
    Cl100k { digits: 1, ..LLAMA3 }.step(text)
}

/// As qwen2 with marks in words.
pub(crate) fn qwen35(text: &str) -> Step {
    Cl100k { digits: 1, marks: true, ..LLAMA3 }.step(text)
}

/// As qwen2 without line breaks after punctuation.
pub(crate) fn seed_coder(text: &str) -> Step {
    Cl100k { digits: 1, newlines: false, ..LLAMA3 }.step(text)
}

/// As llama3 with numbers of any length.
pub(crate) fn minicpm5(text: &str) -> Step {
    Cl100k { digits: usize::MAX, ..LLAMA3 }.step(text)
}

/// As qwen2 without contractions.
pub(crate) fn ufakzeka(text: &str) -> Step {
    Cl100k { digits: 1, contractions: false, ..LLAMA3 }.step(text)
}

/// Capitals and then small letters: `U*l+|U+l*`, where a letter outside ASCII counts as both (llama.cpp's reading of
/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|…`).
fn cased_word(text: &str) -> Option<usize> {
    let upper = run(text, |c| is_letter(c) && !c.is_ascii_lowercase());
    let is_lower = |c: char| is_letter(c) && !c.is_ascii_uppercase();
    let after = run(&text[upper..], is_lower);
    if after > 0 {
        return Some(upper + after);
    }
    // The capitals give back what can be small: up to the last that can.
    let lower = text[..upper].char_indices().rev().find(|(_, c)| is_lower(*c));
    lower.map(|(at, c)| at + c.len_utf8()).or((upper > 0).then_some(upper))
}

/// Words split where capitals begin; `rest` handles `\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+`.
fn cased(text: &str, digits: usize, contractions: bool) -> Step {
    let word = |rest: &str| {
        let length = cased_word(rest)?;
        let ending = contraction(&rest[length..], true).filter(|_| contractions);
        Some(length + ending.unwrap_or(0))
    };
    let found = after_one(text, word)
        .or_else(|| Some(run_up_to(text, digits, is_number)).filter(|length| *length > 0))
        .or_else(|| {
            let length = after_space(text, is_other)?;
            Some(length + run(&text[length..], |c| is_newline(c) || c == '/'))
        })
        .or_else(|| lines(text))
        .or_else(|| space(text));
    step(text, found)
}

/// Mistral's: words by case, numbers of one digit.
pub(crate) fn tekken(text: &str) -> Step {
    cased(text, 1, false)
}

/// o200k: words by case with contractions, numbers of up to three digits.
pub(crate) fn gpt4o(text: &str) -> Step {
    cased(text, 3, true)
}

/// DeepSeek-V3: ASCII punctuation joins the ASCII word after it, marks belong to words.
pub(crate) fn deepseek3(text: &str) -> Step {
    let in_word = |c| matches!(class(c), Class::Letter | Class::Mark);
    let punctuation = |c| matches!(class(c), Class::Punctuation | Class::Symbol);
    let c = first(text);
    let joined = || {
        let length = run(&text[c.len_utf8()..], |c| c.is_ascii_alphabetic());
        (c.is_ascii_punctuation() && length > 0).then_some(c.len_utf8() + length)
    };
    let word = || {
        let leads = !is_newline(c) && !is_letter(c) && !punctuation(c);
        let after = run(&text[c.len_utf8()..], in_word);
        if leads && after > 0 { Some(c.len_utf8() + after) } else { some(text, in_word) }
    };
    let marks = || after_space(text, punctuation).map(|length| length + run(&text[length..], is_newline));
    step(text, joined().or_else(word).or_else(marks).or_else(|| lines(text)).or_else(|| space(text)))
}
