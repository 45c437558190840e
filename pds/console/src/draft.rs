// SPDX-License-Identifier: MIT
//! The message being written: finished lines, and the line under the cursor.
//!
//! One design rule: the text is valid UTF-8 at every moment, and what did not fit is counted.
//!
//! Limits: [`LONGEST_MESSAGE`] bytes. Only the last line can be edited; a line longer than [`LONGEST_LINE`] becomes
//! a finished part and goes on.

/// Most bytes of one message.
pub const LONGEST_MESSAGE: usize = 32 * 1024;
/// Most bytes of the line that can be edited.
pub const LONGEST_LINE: usize = 4096;

/// What inserting a character did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It stands at the end of the line.
    AtEnd,
    /// It stands within the line.
    Within,
    /// The line was too long to be edited: what was there is finished, and the character begins a new part.
    NewPart,
    /// It was not taken: no room in the message or, within a line, in the line.
    Full,
}

/// The message being written.
#[derive(Debug, Default)]
pub struct Draft {
    text: heapless::Vec<u8, LONGEST_MESSAGE>,
    line: usize,
    cursor: usize,
    refused: u64,
    replaced: u32,
}

impl Draft {
    /// An empty message.
    pub fn clear(&mut self) {
        self.text.clear();
        (self.line, self.cursor, self.refused, self.replaced) = (0, 0, 0, 0);
    }

    /// Overwrites what was deleted, or written before.
    pub fn scrub(&mut self) {
        crate::scrub::bytes(&mut self.text);
    }

    /// The whole message.
    pub fn text(&self) -> &str {
        self.slice(0, self.text.len())
    }

    /// Whether nothing was written, nor refused.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.refused == 0
    }

    /// Bytes that were not taken because the message was full.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Places where bytes that are no text became U+FFFD.
    pub fn replaced(&self) -> u32 {
        self.replaced
    }

    /// Counts a place where U+FFFD was put.
    pub fn count_replaced(&mut self) {
        self.replaced = self.replaced.saturating_add(1);
    }

    /// The line under the cursor.
    pub fn line(&self) -> &str {
        self.slice(self.line, self.text.len())
    }

    /// Its length in bytes.
    pub fn line_len(&self) -> usize {
        self.text.len() - self.line
    }

    /// What lies before the cursor in its line.
    pub fn before(&self) -> &str {
        self.slice(self.line, self.cursor)
    }

    /// What lies behind the cursor.
    pub fn behind(&self) -> &str {
        self.slice(self.cursor, self.text.len())
    }

    fn slice(&self, from: usize, to: usize) -> &str {
        // Characters go in and out whole, so the text is always valid and its offsets lie between characters.
        core::str::from_utf8(self.text.get(from..to).unwrap_or_default()).unwrap_or("")
    }

    /// Inserts a character at the cursor.
    pub fn insert(&mut self, character: char) -> Inserted {
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        let (at_end, long) = (self.cursor == self.text.len(), self.line_len() + 4 > LONGEST_LINE);
        if self.refused > 0 || (long && !at_end) || self.text.extend_from_slice(bytes).is_err() {
            self.refused += if long && !at_end { 0 } else { bytes.len() as u64 };
            return Inserted::Full;
        }
        if long {
            self.line = self.cursor;
        }
        self.text[self.cursor..].rotate_right(bytes.len());
        self.cursor += bytes.len();
        match (long, at_end) {
            (true, _) => Inserted::NewPart,
            (_, true) => Inserted::AtEnd,
            _ => Inserted::Within,
        }
    }

    /// Finishes the line: the next one is edited.
    pub fn new_line(&mut self) {
        if self.refused > 0 || self.text.push(b'\n').is_err() {
            self.refused += 1;
        }
        (self.line, self.cursor) = (self.text.len(), self.text.len());
    }

    /// Replaces the line under the cursor, as far as `line` fits.
    pub fn set_line(&mut self, line: &str) {
        self.text.truncate(self.line);
        self.cursor = self.line;
        let room = (LONGEST_MESSAGE - self.line).min(LONGEST_LINE);
        let fits = (0..=line.len().min(room)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        if self.text.extend_from_slice(&line.as_bytes()[..fits]).is_ok() {
            self.cursor = self.text.len();
        }
    }

    /// Moves the cursor by one character to the left; whether it moved.
    pub fn left(&mut self) -> bool {
        let step = self.before().chars().next_back().map_or(0, char::len_utf8);
        self.cursor -= step;
        step > 0
    }

    /// Moves the cursor by one character to the right; whether it moved.
    pub fn right(&mut self) -> bool {
        let step = self.behind().chars().next().map_or(0, char::len_utf8);
        self.cursor += step;
        step > 0
    }

    /// Moves the cursor to the start of the line.
    pub fn home(&mut self) {
        self.cursor = self.line;
    }

    /// Moves the cursor to the end of the line.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// Moves the cursor to the start of the word before it.
    pub fn word_left(&mut self) {
        let before = self.before();
        let words = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        self.cursor = self.line + words.trim_end_matches(char::is_alphanumeric).len();
    }

    /// Moves the cursor to the end of the word behind it.
    pub fn word_right(&mut self) {
        let behind = self.behind();
        let words = behind.trim_start_matches(|c: char| !c.is_alphanumeric());
        self.cursor = self.text.len() - words.trim_start_matches(char::is_alphanumeric).len();
    }

    /// Deletes the character before the cursor; whether there was one.
    pub fn backspace(&mut self) -> bool {
        let end = self.cursor;
        self.left() && self.remove(self.cursor, end)
    }

    /// Deletes the character behind the cursor; whether there was one.
    pub fn delete(&mut self) -> bool {
        let start = self.cursor;
        self.right() && self.remove(start, self.cursor)
    }

    /// Deletes from the cursor to the end of the line.
    pub fn kill_to_end(&mut self) {
        self.text.truncate(self.cursor);
    }

    /// Deletes from the start of the line to the cursor.
    pub fn kill_to_start(&mut self) {
        self.remove(self.line, self.cursor);
    }

    /// Deletes the word before the cursor, up to a space.
    pub fn kill_word(&mut self) {
        let before = self.before();
        let start = self.line + before.trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len();
        self.remove(start, self.cursor);
    }

    fn remove(&mut self, from: usize, to: usize) -> bool {
        self.text[from..].rotate_left(to - from);
        self.text.truncate(self.text.len() - (to - from));
        self.cursor = from;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        let mut draft = Draft::default();
        text.chars().for_each(|c| {
            draft.insert(c);
        });
        draft
    }

    #[test]
    fn characters_are_inserted_and_deleted_whole() {
        let mut d = draft("aé漢");
        assert!(d.left());
        assert_eq!(d.insert('x'), Inserted::Within);
        assert_eq!(d.text(), "aéx漢");
        assert!(d.backspace() && d.backspace());
        assert_eq!((d.before(), d.behind()), ("a", "漢"));
        assert!(d.delete() && !d.delete());
        assert_eq!(d.text(), "a");
    }

    #[test]
    fn words_are_left_and_killed() {
        let mut d = draft("one two, three");
        d.word_left();
        assert_eq!(d.before(), "one two, ");
        d.word_left();
        assert_eq!(d.before(), "one ");
        d.word_right();
        assert_eq!(d.before(), "one two");
        d.kill_word();
        assert_eq!(d.text(), "one , three");
        d.kill_to_end();
        assert_eq!(d.text(), "one ");
        d.kill_to_start();
        assert_eq!(d.text(), "");
    }

    #[test]
    fn finished_lines_cannot_be_reached() {
        let mut d = draft("one");
        d.new_line();
        assert!(!d.backspace() && !d.left());
        d.set_line("two");
        assert_eq!(d.text(), "one\ntwo");
        d.kill_to_start();
        assert_eq!(d.text(), "one\n");
    }

    #[test]
    fn what_does_not_fit_is_counted_and_later_characters_do_not_slip_in() {
        let mut d = Draft::default();
        (0..LONGEST_MESSAGE - 1).for_each(|_| {
            d.insert('a');
        });
        assert_eq!(d.insert('漢'), Inserted::Full);
        assert_eq!(d.insert('b'), Inserted::Full, "it would fit, but stand in the wrong place");
        assert_eq!((d.refused(), d.text().len()), (4, LONGEST_MESSAGE - 1));
    }

    #[test]
    fn a_long_line_goes_on_as_a_new_part() {
        let mut d = draft(&"a".repeat(LONGEST_LINE - 3));
        assert_eq!(d.insert('b'), Inserted::NewPart);
        assert_eq!((d.line(), d.text().len()), ("b", LONGEST_LINE - 2));
    }
}
