// SPDX-License-Identifier: MIT
//! Text to search terms: lower case, identifiers taken apart, plural and verb endings cut.
//!
//! Limits: the endings are those of English; terms are 64-bit hashes, so two words may (practically never) share one.
use alloc::string::String;

/// Longest term, in bytes; what goes beyond is cut: it is no word.
const LONGEST: usize = 64;

/// FNV-1a, 64 bits.
pub fn token_hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

/// Scripts written without spaces: each character is a term.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0x20000..=0x3FFFF)
}

/// Calls `each` with every term of the text, in order. `word` is scratch memory.
pub fn for_each_token(text: &str, mut each: impl FnMut(&str)) {
    let mut word = String::new();
    for run in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        for part in run.split('_').filter(|part| !part.is_empty()) {
            emit_part(part, &mut word, &mut each);
        }
        if run.trim_matches('_').contains('_') {
            emit(run, &mut word, &mut each);
        }
    }
}

/// One part between underscores: ideographs singly, camelCase as its parts and as a whole.
fn emit_part(part: &str, word: &mut String, each: &mut impl FnMut(&str)) {
    let mut start = 0;
    let mut previous = ' ';
    for (at, c) in part.char_indices() {
        let boundary = previous.is_lowercase() && c.is_uppercase();
        if at > start && (boundary || is_ideograph(c) || is_ideograph(previous)) {
            emit(&part[start..at], word, each);
            start = at;
        }
        previous = c;
    }
    emit(&part[start..], word, each);
    if start > 0 && !part.chars().any(is_ideograph) {
        emit(part, word, each);
    }
}

fn emit(text: &str, word: &mut String, each: &mut impl FnMut(&str)) {
    word.clear();
    for c in text.chars().flat_map(char::to_lowercase) {
        if word.len() + c.len_utf8() > LONGEST {
            break;
        }
        word.push(c);
    }
    let stem = stem(word);
    if !stem.is_empty() {
        each(stem);
    }
}

/// Cuts the commonest English endings: "caches" and "cached" meet at "cach".
fn stem(word: &str) -> &str {
    if !word.is_ascii() || word.len() < 4 || word.as_bytes()[0].is_ascii_digit() {
        return word;
    }
    let word = cut_plural(word);
    let cut =
        ["ing", "ed", "ly"].into_iter().find_map(|end| word.strip_suffix(end).filter(|stem| has_vowel(stem)));
    let word = cut.unwrap_or(word);
    word.strip_suffix('e').or_else(|| undouble(word)).filter(|stem| stem.len() >= 3).unwrap_or(word)
}

fn cut_plural(word: &str) -> &str {
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word;
    }
    match word.strip_suffix("ies") {
        Some(stem) if stem.len() >= 2 => &word[..stem.len() + 1],
        _ => word.strip_suffix('s').unwrap_or(word),
    }
}

fn has_vowel(stem: &str) -> bool {
    stem.len() >= 3 && stem.contains(['a', 'e', 'i', 'o', 'u', 'y'])
}

/// "planned" → "plann" → "plan"; also maps a final y to what "ies" leaves.
fn undouble(word: &str) -> Option<&str> {
    let bytes = word.as_bytes();
    let [.., a, b] = bytes else { return None };
    let doubled = a == b && !matches!(b, b'l' | b's' | b'z' | b'0'..=b'9');
    doubled.then(|| &word[..word.len() - 1])
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::borrow::ToOwned;
    use std::string::String;
    use std::vec::Vec;

    fn tokens(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        for_each_token(text, |token| all.push(token.to_owned()));
        all
    }

    #[test]
    fn words_numbers_and_identifiers() {
        assert_eq!(tokens("Hello, World 42!"), ["hello", "world", "42"]);
        assert_eq!(tokens("read_frame"), ["read", "fram", "read_fram"]);
        assert_eq!(tokens("parseHeader"), ["pars", "header", "parseheader"]);
        assert_eq!(tokens("seL4"), ["se", "l4", "sel4"]);
        assert_eq!(tokens("日本 Ωmega"), ["日", "本", "ωmega"]);
        assert!(tokens(" ,;—\u{0}").is_empty());
    }

    #[test]
    fn endings_meet() {
        for group in
            [&["cache", "caches", "cached", "caching"][..], &["plan", "planned", "plans", "planning"]]
        {
            let stems: Vec<_> = group.iter().flat_map(|word| tokens(word)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        }
        assert_eq!(tokens("status class bus this"), ["status", "class", "bus", "this"]);
    }

    #[test]
    fn a_word_without_end_is_cut() {
        assert_eq!(tokens(&"xy".repeat(10_000))[0].len(), LONGEST);
    }
}
