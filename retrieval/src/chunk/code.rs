// SPDX-License-Identifier: MIT
//! Code: functions and other top-level items, with the comment directly above them.
//!
//! Braces in strings, characters and comments do not count. Limits: no preprocessor, no raw strings with quotes inside;
//! a wrong count costs a badly placed cut, nothing else.
use alloc::string::String;
use alloc::vec::Vec;

use super::blocks::{Block, Builder, Line, lines};

/// What the lexer is inside of at the end of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    BlockComment,
    String,
}

struct Lexer {
    inside: Inside,
    depth: usize,
}

impl Lexer {
    /// Reads a line; returns the deepest nesting seen in it.
    fn line(&mut self, line: &str) -> usize {
        let bytes = line.as_bytes();
        let (mut at, mut deepest) = (0, self.depth);
        while at < bytes.len() {
            at += match self.inside {
                Inside::BlockComment => self.in_comment(&bytes[at..]),
                Inside::String => self.in_string(&bytes[at..]),
                Inside::Code if bytes[at..].starts_with(b"//") => break,
                Inside::Code => self.in_code(&bytes[at..]),
            };
            deepest = deepest.max(self.depth);
        }
        deepest
    }

    fn in_comment(&mut self, rest: &[u8]) -> usize {
        if rest.starts_with(b"*/") {
            self.inside = Inside::Code;
            return 2;
        }
        1
    }

    fn in_string(&mut self, rest: &[u8]) -> usize {
        match rest[0] {
            b'\\' => 2,
            b'"' => {
                self.inside = Inside::Code;
                1
            }
            _ => 1,
        }
    }

    fn in_code(&mut self, rest: &[u8]) -> usize {
        match rest[0] {
            b'/' if rest.starts_with(b"/*") => {
                self.inside = Inside::BlockComment;
                return 2;
            }
            b'"' => self.inside = Inside::String,
            b'\'' => return char_literal(rest),
            b'{' => self.depth += 1,
            b'}' => self.depth = self.depth.saturating_sub(1),
            _ => (),
        }
        1
    }
}

/// Bytes of a character literal; 1 for a lifetime's tick.
fn char_literal(rest: &[u8]) -> usize {
    match rest {
        [_, b'\\', _, ..] => {
            rest.iter().skip(3).take(10).position(|byte| *byte == b'\'').map_or(2, |end| end + 4)
        }
        [_, _, b'\'', ..] => 3,
        _ => 1,
    }
}

/// A line that says what an item is: not a comment, attribute, directive or bare brace.
fn is_signature(line: &str) -> bool {
    let skipped = ["//", "/*", "*", "#", "@", "{", "}", ")"];
    let line = line.trim_start();
    !line.is_empty() && !skipped.iter().any(|start| line.starts_with(start))
}

fn signature(line: &str) -> String {
    line.trim().trim_end_matches('{').trim_end().chars().take(120).collect()
}

/// C and Rust: an item ends where its braces close, or at a blank line outside of braces.
pub(super) fn braces(text: &str) -> Vec<Block> {
    let mut builder = Builder::default();
    let mut lexer = Lexer { inside: Inside::Code, depth: 0 };
    for line in lines(text) {
        let outside = lexer.depth == 0 && lexer.inside == Inside::Code;
        if outside && line.is_blank() {
            builder.close();
            continue;
        }
        let comment = lexer.inside != Inside::Code;
        builder.line(&line, "");
        if outside && !comment && is_signature(line.text) {
            builder.name(&signature(line.text));
        }
        let deepest = lexer.line(line.text);
        if deepest > 0 && lexer.depth == 0 && lexer.inside == Inside::Code {
            builder.close();
        }
    }
    builder.finish()
}

/// The name line of a definition: `def`, `async def` or `class`.
fn is_definition(line: &str) -> bool {
    ["def ", "async def ", "class "].iter().any(|start| line.trim_start().starts_with(start))
}

/// A line that begins a new block where it stands at `indent` columns.
fn begins_python_item(line: &Line<'_>, decorated: bool) -> bool {
    let indent = line.text.len() - line.text.trim_start().len();
    let item = is_definition(line.text) || line.text.trim_start().starts_with('@');
    item && indent <= 4 && !decorated
}

/// Python: functions, classes and methods, each with its decorators; other code by blank lines.
pub(super) fn python(text: &str) -> Vec<Block> {
    let mut builder = Builder::default();
    let (mut in_item, mut decorated, mut class) = (false, false, String::new());
    for line in lines(text) {
        if line.is_blank() {
            if !in_item {
                builder.close();
            }
            continue;
        }
        let leaves = in_item
            && line.is_flush_left()
            && !is_definition(line.text)
            && !decorated
            && !line.text.starts_with(')');
        if begins_python_item(&line, decorated) || leaves {
            builder.begin(&line, "", false);
            in_item = !leaves || line.text.starts_with('@');
        } else {
            builder.line(&line, "");
        }
        decorated = line.text.trim_start().starts_with('@');
        if is_definition(line.text) {
            in_item = true;
            name_definition(&mut builder, &line, &mut class);
        }
    }
    builder.finish()
}

/// Names the open block after its definition, a method also after its class.
fn name_definition(builder: &mut Builder, line: &Line<'_>, class: &mut String) {
    let own = signature(line.text.trim_end_matches(':'));
    if line.is_flush_left() {
        *class = if own.starts_with("class ") { own.clone() } else { String::new() };
        builder.name(&own);
    } else if class.is_empty() {
        builder.name(&own);
    } else {
        builder.name(&alloc::format!("{class} > {own}"));
    }
}
