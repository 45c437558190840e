// SPDX-License-Identifier: MIT
//! The grammar (GBNF) of the commands that a request may ask for.
//!
//! One design rule: an argument is made of the request's own words. A model that copies badly can choose the wrong words of
//! a request, and cannot make up a name, a number or a text that stands nowhere in it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::NONE;
use crate::table::{Argument, Entry, TABLE};

/// The rules for arguments that are not copied: no argument is empty, begins with a space or has control characters.
pub const GRAMMAR_LIMITS: &str = "\
free-word ::= [!-~]{1,96}
free-number ::= \"-\"? [0-9]{1,10} (\".\" [0-9]{1,6})?
free-text ::= [^\\x00-\\x20\\x7f] [^\\x00-\\x1f\\x7f]{0,239}
";
/// Words of the longest request whose arguments are held to its words.
const MOST_WORDS: usize = 64;
/// Marks behind a word that may belong to it or not: more make no larger grammar.
const MOST_MARKS: usize = 4;
/// What a person may put around words of a request.
const AROUND: [char; 12] = ['"', '\'', '`', '(', ')', '.', ',', '!', '?', ':', ';', '…'];

/// A grammar whose texts are the commands of [`TABLE`] and `none`, with one space before it or without. An argument is a
/// number of the request, a word or some words of it in a row, without the marks around them; where the request has no
/// number, or too many words, it is free.
#[must_use]
pub fn grammar(request: &str) -> String {
    let mut rules = format!("root ::= \" \"? (\"{NONE}\"");
    for entry in TABLE {
        rules.push_str(" | ");
        rules.push_str(&alternative(entry));
    }
    rules.push_str(")\n");
    rules.push_str(&arguments(request));
    rules.push_str(GRAMMAR_LIMITS);
    rules
}

/// The rules `word`, `number` and `text` for a request.
fn arguments(request: &str) -> String {
    let words: Vec<&str> =
        request.split_whitespace().filter(|word| !word.contains(char::is_control)).collect();
    let typed: Vec<String> = numbers(request).map(literal).collect();
    let number = match typed.is_empty() {
        true => String::from("free-number"),
        false => format!("\"0\" | {}", typed.join(" | ")),
    };
    if words.is_empty() || words.len() > MOST_WORDS {
        return format!("word ::= free-word\nnumber ::= {number}\ntext ::= free-text\n");
    }
    format!("number ::= {number}\n{}", spans(&words))
}

/// `word`: a word of the request. `text`: some words of it in a row; rule `s-N` goes on from word N.
fn spans(words: &[&str]) -> String {
    let (mut rules, mut single, mut starts) = (String::new(), Vec::new(), Vec::new());
    for (at, word) in words.iter().enumerate() {
        let on = |word: &str| match at + 1 < words.len() {
            true => format!(" | {} s-{}", literal(&format!("{word} ")), at + 1),
            false => String::new(),
        };
        rules.push_str(&format!("s-{at} ::= {}{}\n", ends(word), on(word)));
        for start in beginnings(word, at == 0) {
            single.push(ends(&start));
            starts.push(format!("{}{}", ends(&start), on(&start)));
        }
    }
    format!("word ::= {}\ntext ::= {}\n{rules}", single.join(" | "), starts.join(" | "))
}

/// A word without the marks before it; the first word of a request with a small letter too.
fn beginnings(word: &str, is_first: bool) -> Vec<String> {
    let bare = Some(word.trim_start_matches(AROUND)).filter(|bare| !bare.is_empty()).unwrap_or(word);
    let mut all = alloc::vec![bare.to_string()];
    if let Some(first) = bare.chars().next().filter(|first| is_first && first.is_uppercase()) {
        all.push(first.to_lowercase().chain(bare.chars().skip(1)).collect());
    }
    all
}

/// A word as the argument's end: with the marks behind it, with some of them, or without.
fn ends(word: &str) -> String {
    let all = core::iter::successors(Some(word), |word| word.strip_suffix(AROUND));
    all.filter(|word| !word.is_empty()).take(MOST_MARKS + 1).map(literal).collect::<Vec<_>>().join(" | ")
}

/// The numbers of a request, as they are typed. A sign belongs to a number where nothing stands before it.
fn numbers(request: &str) -> impl Iterator<Item = &str> {
    let typed = request.split_whitespace().flat_map(numbers_of_word).map(|number| number.trim_matches('.'));
    typed.filter(|number| number.parse::<f64>().is_ok() && number.len() <= 18)
}

fn numbers_of_word(word: &str) -> impl Iterator<Item = &str> {
    let digits = word.split(|c: char| !c.is_ascii_digit() && c != '.').enumerate();
    digits.map(move |(at, digits)| match at == 1 && word.starts_with('-') {
        true => &word[..=digits.len()],
        false => digits,
    })
}

fn literal(text: &str) -> String {
    let mut literal = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(if c.is_control() { ' ' } else { c });
    }
    literal.push('"');
    literal
}

fn alternative(entry: &Entry) -> String {
    let words = entry.words;
    match entry.argument {
        Argument::Nothing => format!("\"{words}\""),
        Argument::Word => format!("\"{words} \" word"),
        Argument::Number => format!("\"{words} \" number"),
        // Subject, relation and object may stand apart in the request.
        Argument::Text if words == "/fact add" => format!("\"{words} \" free-text"),
        Argument::Text => format!("\"{words} \" text"),
        Argument::One(choices) => format!("\"{words} \" (\"{}\")", choices.join("\" | \"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inference_sampler::{Grammar, Matcher};

    fn follows(text: &str) -> bool {
        asked(&"word ".repeat(MOST_WORDS + 1), text)
    }

    fn asked(request: &str, text: &str) -> bool {
        let grammar = Grammar::parse(&grammar(request)).unwrap();
        let mut matcher = Matcher::new(&grammar).unwrap();
        matcher.accept(text.as_bytes()).is_ok() && matcher.is_complete()
    }

    #[test]
    fn commands_follow_it() {
        for text in [
            "none",
            " none",
            "/mem",
            " /mem",
            "/load tiny.gguf",
            "/set temperature 0.25",
            "/set seed -1",
            "/restart compute_1",
            "/set system You are terse.",
            "/rag add docs/a.md",
        ] {
            assert!(follows(text), "{text}");
        }
    }

    #[test]
    fn nothing_else_does() {
        for text in [
            "",
            "/",
            "/me",
            "/memo",
            "  /mem",
            "/load",
            "/load a b",
            "/set temperature warm",
            "/restart everything",
            "/set system ",
            "/fact add a\n/bye",
            "rm -rf /",
        ] {
            assert!(!follows(text), "{text}");
        }
    }

    #[test]
    fn an_argument_is_made_of_the_requests_words() {
        let request = "Atlas.md, (the old one) must go; cut it at \"QED\": temperature 0.5, no more than 63.";
        for text in [
            "/rag remove atlas.md",
            "/rag remove Atlas.md",
            "/rag find the old one",
            "/rag find old one) must go",
            "/set stop QED",
            "/set stop QED\"",
            "/set temperature 0.5",
            "/set temperature 0",
            "/set num_predict 63",
            "/fact add the one | is | gone",
            "/load atlas.md",
            "none",
        ] {
            assert!(asked(request, text), "{text}");
        }
        for text in
            ["/set stop FID", "/rag find the new one", "/set top_k 64", "/load tiny", "/rag find the one"]
        {
            assert!(!asked(request, text), "{text}");
        }
        assert!(asked("set the seed to minus one", "/set seed -1"));
        assert!(asked("seed = -1", "/set seed -1"));
    }

    #[test]
    fn any_request_makes_a_grammar() {
        for request in
            ["", " ", "\"", ";; ;;", "\\ \" ' \u{1b}[2J", "…", "ẞtraße", "- . -1- 1.2.3 1-2", "{[(|)]}"]
        {
            assert!(asked(request, "/mem"), "{request}");
            assert!(asked(request, "none"), "{request}");
        }
        assert!(asked("end at ;;", "/set stop ;;"));
        assert!(asked(&";".repeat(1024), "/mem"), "the longest request");
        assert!(asked(&"A; ".repeat(MOST_WORDS), "/rag find a; A; A"));
    }
}
