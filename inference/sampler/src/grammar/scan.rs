// SPDX-License-Identifier: MIT
//! Reading a grammar's text character by character.

use super::error::{GrammarError, Problem};

/// A position in the text.
pub(super) struct Scanner<'t> {
    pub text: &'t str,
    pub at: usize,
}

impl<'t> Scanner<'t> {
    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Moves past `text` if it stands here.
    pub fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    pub fn error<T>(&self, problem: Problem) -> Result<T, GrammarError> {
        Err(GrammarError::at(self.text, self.at, problem))
    }

    /// Moves past blanks and comments, and past line breaks if `lines`.
    pub fn skip_space(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\n') if lines => self.at += 1,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    /// A rule's name: letters, digits, `-` and `_`. Empty where none stands.
    pub fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let length =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A decimal number of at most four digits.
    pub fn number(&mut self) -> Option<u32> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        self.at += length;
        rest[..length].parse().ok().filter(|_| length <= 4)
    }

    /// A character of a literal or class, with escapes.
    ///
    /// # Errors
    /// A bad escape, or the end of the text.
    pub fn character(&mut self) -> Result<char, GrammarError> {
        let start = self.at;
        match self.next() {
            Some('\\') => {}
            Some('\n') | None => {
                self.at = start;
                return self.error(Problem::Expected("the end of the literal or class in the same line"));
            }
            Some(c) => return Ok(c),
        }
        let escaped = match self.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('x') => self.hexadecimal(2),
            Some('u') => self.hexadecimal(4),
            Some('U') => self.hexadecimal(8),
            Some(c @ ('\\' | '"' | '[' | ']' | '-' | '^')) => Some(c),
            _ => None,
        };
        escaped.ok_or(GrammarError::at(self.text, start, Problem::BadEscape))
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let digits =
            self.rest().get(..digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += digits.len();
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }
}
