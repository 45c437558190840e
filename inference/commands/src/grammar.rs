// SPDX-License-Identifier: MIT
//! The grammar (GBNF) of all commands.

use alloc::format;
use alloc::string::String;

use crate::NONE;
use crate::table::{Argument, Entry, TABLE};

/// The rules for arguments: an empty argument, one that begins with a space and control characters are not possible.
pub const GRAMMAR_LIMITS: &str = "\
word ::= [!-~]{1,96}
number ::= \"-\"? [0-9]{1,10} (\".\" [0-9]{1,6})?
text ::= [^\\x00-\\x20\\x7f] [^\\x00-\\x1f\\x7f]{0,239}
";

/// A grammar whose texts are the commands of [`TABLE`] and `none`, with one space before it or without.
#[must_use]
pub fn grammar() -> String {
    let mut rules = format!("root ::= \" \"? (\"{NONE}\"");
    for entry in TABLE {
        rules.push_str(" | ");
        rules.push_str(&alternative(entry));
    }
    rules.push_str(")\n");
    rules.push_str(GRAMMAR_LIMITS);
    rules
}

fn alternative(entry: &Entry) -> String {
    let words = entry.words;
    match entry.argument {
        Argument::Nothing => format!("\"{words}\""),
        Argument::Word => format!("\"{words} \" word"),
        Argument::Number => format!("\"{words} \" number"),
        Argument::Text => format!("\"{words} \" text"),
        Argument::One(choices) => format!("\"{words} \" (\"{}\")", choices.join("\" | \"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inference_sampler::{Grammar, Matcher};

    fn follows(text: &str) -> bool {
        let grammar = Grammar::parse(&grammar()).unwrap();
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
}
