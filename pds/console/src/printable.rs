// SPDX-License-Identifier: MIT
//! Text that others made, shown so that it cannot act on the terminal.
//!
//! One design rule: only printable characters, line ends and tabs reach the terminal as they are. Control bytes come
//! out in caret notation, characters that reorder a line or hide in it as `<U+202E>`, broken UTF-8 as U+FFFD.

use crate::editor::width;
use crate::say;
use core::fmt::Write;

/// Longest word that word wrap moves to the next row, in bytes.
const LONGEST_WORD: usize = 64;

/// Writes `bytes` harmlessly.
pub fn write(screen: &mut impl Write, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|character| one(screen, character));
        if !chunk.invalid().is_empty() {
            one(screen, char::REPLACEMENT_CHARACTER);
        }
    }
}

fn one(screen: &mut impl Write, character: char) {
    let code = u32::from(character);
    match character {
        '\n' | '\t' => say!(*screen, "{character}"),
        '\x7f' => say!(*screen, "^?"),
        '\0'..'\x20' => say!(*screen, "^{}", char::from(code as u8 + 0x40)),
        _ if is_hidden(character) => say!(*screen, "<U+{code:04X}>"),
        _ => say!(*screen, "{character}"),
    }
}

/// C1 controls, direction marks and overrides, invisible operators, tags.
fn is_hidden(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// An answer on its way to the screen.
#[derive(Debug, Default)]
pub struct Stream {
    /// Whether long lines break between words.
    pub word_wrap: bool,
    column: usize,
    word: heapless::String<LONGEST_WORD>,
    word_cells: usize,
}

impl Stream {
    /// A new answer, at the start of a row.
    pub fn begin(&mut self) {
        self.column = 0;
        self.end_word();
    }

    /// Whether the cursor stands at the start of a row.
    pub fn at_line_start(&self) -> bool {
        self.column == 0
    }

    /// Writes the next piece of an answer on a terminal with `columns` columns.
    pub fn write(&mut self, screen: &mut impl Write, bytes: &[u8], columns: usize) {
        let mut sink = Sink { stream: self, screen, columns };
        write(&mut sink, bytes);
    }

    fn end_word(&mut self) {
        self.word.clear();
        self.word_cells = 0;
    }

    fn put(&mut self, screen: &mut impl Write, character: char, columns: usize) {
        match character {
            '\n' => {
                self.column = 0;
                self.end_word();
            }
            _ => {
                self.make_room(screen, character, columns);
                self.column += width(character);
            }
        }
        say!(*screen, "{character}");
    }

    /// With word wrap, takes the word that does not fit to the next row.
    fn make_room(&mut self, screen: &mut impl Write, character: char, columns: usize) {
        if character == ' ' || self.word.push(character).is_err() {
            self.end_word();
            return;
        }
        let (cells, width) = (self.word_cells, width(character));
        self.word_cells += width;
        if !self.word_wrap || self.column + width < columns || cells + width >= columns {
            return;
        }
        if cells > 0 {
            say!(*screen, "\x1b[{cells}D\x1b[K");
        }
        self.word.pop();
        say!(*screen, "\n{}", self.word);
        self.word.push(character).ok();
        self.column = cells;
    }
}

struct Sink<'a, W> {
    stream: &'a mut Stream,
    screen: &'a mut W,
    columns: usize,
}

impl<W: Write> Write for Sink<'_, W> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.chars().for_each(|character| self.stream.put(self.screen, character, self.columns));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn shown(bytes: &[u8]) -> String {
        let mut out = String::new();
        write(&mut out, bytes);
        out
    }

    #[test]
    fn control_bytes_cannot_reach_the_terminal() {
        assert_eq!(shown(b"a\x1b[2Jb\x07\x00\x7f\r\n"), "a^[[2Jb^G^@^?^M\n");
        assert_eq!(shown("\u{9b}2J \u{202e}evil".as_bytes()), "<U+009B>2J <U+202E>evil");
        assert_eq!(shown(b"ok \xff\xc3"), "ok \u{fffd}\u{fffd}");
        for byte in 0..=255u8 {
            let out = shown(&[byte]);
            assert!(out.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "byte {byte}");
        }
    }

    #[test]
    fn without_word_wrap_the_text_comes_out_as_it_is() {
        let (mut stream, mut out) = (Stream::default(), String::new());
        let text = "Once upon a time, there was a little girl named Lily. ".repeat(4);
        text.as_bytes().chunks(7).for_each(|piece| stream.write(&mut out, piece, 20));
        assert_eq!(out, text);
    }

    #[test]
    fn with_word_wrap_no_row_is_longer_than_the_terminal() {
        let (mut stream, mut out) = (Stream { word_wrap: true, ..Stream::default() }, String::new());
        stream.write(&mut out, b"Once upon a", 20);
        stream.write(&mut out, b" time, there was a cat", 20);
        assert_eq!(out, "Once upon a time, t\x1b[1D\x1b[K\nthere was a cat");
    }
}
