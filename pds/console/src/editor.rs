// SPDX-License-Identifier: MIT
//! The line editor: keys change the draft, and the screen follows.
//!
//! One design rule: the screen is changed as little as possible, so that what is typed at the end of a line is
//! echoed byte for byte, and everything else is drawn by moving to a cell, painting and moving back.
//!
//! Limits: the terminal is taken to have 80 columns until `/set columns` or Ctrl-L (which asks it) say otherwise.

use crate::draft::{Draft, Inserted, LONGEST_LINE, LONGEST_MESSAGE};
use crate::history::History;
use crate::keys::Key;
use crate::say;
use core::fmt::Write;
use unicode_width::UnicodeWidthChar;

/// The prompt of a message.
pub const PROMPT: &str = ">>> ";
/// The prompt of its further lines.
pub const CONTINUATION: &str = "... ";
/// Opens and closes a message of several lines.
pub const QUOTES: &str = "\"\"\"";
const QUOTED_STARTS: [&str; 2] = [QUOTES, "/set system \"\"\""];

/// What a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The message is complete.
    Submit,
    /// Ctrl-C on an empty line.
    InterruptedEmpty,
    /// Ctrl-C: the message was dropped.
    Dropped,
    /// Ctrl-D on an empty line.
    EndOfInput,
}

/// The line editor.
#[derive(Debug)]
pub struct Editor {
    /// The message.
    pub draft: Draft,
    /// Lines entered before.
    pub history: History,
    stash: heapless::Vec<u8, LONGEST_LINE>,
    columns: usize,
    prompt: &'static str,
    /// Cell at which the line begins.
    start: usize,
    /// Cell of the terminal's cursor, counted from the first column of the line's first row.
    at: usize,
}

impl Default for Editor {
    fn default() -> Self {
        let (draft, history, stash) = (Draft::default(), History::default(), heapless::Vec::new());
        Self { draft, history, stash, columns: 80, prompt: PROMPT, start: 0, at: 0 }
    }
}

impl Editor {
    /// Forgets every line that was entered.
    pub fn forget(&mut self) {
        self.history.erase();
        self.draft.scrub();
        self.stash.clear();
        crate::scrub::bytes(&mut self.stash);
    }

    /// The terminal's width.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Sets the terminal's width, within 20 to 1000.
    pub fn set_columns(&mut self, columns: usize) {
        self.columns = columns.clamp(20, 1000);
    }

    /// Begins a message: an empty draft and a prompt.
    pub fn begin(&mut self, screen: &mut impl Write) {
        self.draft.clear();
        self.show(screen, PROMPT);
    }

    /// Draws prompt and line, at the start of a row.
    fn show(&mut self, screen: &mut impl Write, prompt: &'static str) {
        say!(*screen, "{prompt}");
        self.prompt = prompt;
        (self.start, self.at) = (prompt.len(), prompt.len());
        self.paint(screen, 0);
        let cursor = self.cell(self.draft.before().len());
        self.go(screen, cursor);
    }

    /// Makes room for other output: the line is erased, the cursor stands at the start of a row.
    pub fn hide(&mut self, screen: &mut impl Write) {
        self.go(screen, 0);
        say!(*screen, "\r\x1b[J");
    }

    /// Draws the line again after other output.
    pub fn redraw(&mut self, screen: &mut impl Write) {
        let prompt = self.prompt;
        self.show(screen, prompt);
    }

    /// Ends the line on the screen: the cursor stands at the start of the next row.
    pub fn leave(&mut self, screen: &mut impl Write) {
        let end = self.cell(self.draft.line_len());
        self.go(screen, end);
        say!(*screen, "\n");
    }

    /// Acts on a key.
    pub fn key(&mut self, key: Key, screen: &mut impl Write) -> Option<Event> {
        match key {
            Key::Char(character) => self.insert(character, screen),
            Key::Invalid => {
                self.draft.count_replaced();
                self.insert(char::REPLACEMENT_CHARACTER, screen);
            }
            Key::PastedNewline => self.continue_message(screen),
            Key::Enter => return self.enter(screen),
            Key::Interrupt => return Some(self.interrupt(screen)),
            Key::EndOfInput if self.draft.is_empty() => return Some(Event::EndOfInput),
            Key::Up => self.older(screen),
            Key::Down => self.newer(screen),
            Key::ClearScreen => {
                // Clears, and asks the terminal for its width: go far right, report the cursor, come back.
                say!(*screen, "\x1b[H\x1b[2J\x1b[999C\x1b[6n\r");
                self.redraw(screen);
            }
            Key::CursorAt(column) if column >= 20 => self.set_columns(column.into()),
            _ => self.edit(key, screen),
        }
        None
    }

    /// Keys that change the line or the place in it.
    fn edit(&mut self, key: Key, screen: &mut impl Write) {
        let draft = &mut self.draft;
        match key {
            Key::Backspace => drop(draft.backspace()),
            Key::Delete | Key::EndOfInput => drop(draft.delete()),
            Key::Left => drop(draft.left()),
            Key::Right => drop(draft.right()),
            Key::Home => draft.home(),
            Key::End => draft.end(),
            Key::WordLeft => draft.word_left(),
            Key::WordRight => draft.word_right(),
            Key::KillWord => draft.kill_word(),
            Key::KillToEnd => draft.kill_to_end(),
            Key::KillToStart => draft.kill_to_start(),
            _ => return,
        }
        let moves = [Key::Left, Key::Right, Key::Home, Key::End, Key::WordLeft, Key::WordRight];
        if moves.contains(&key) {
            let cell = self.cell(self.draft.before().len());
            self.go(screen, cell);
        } else {
            self.repaint(screen);
        }
    }

    fn insert(&mut self, character: char, screen: &mut impl Write) {
        let (before, refused) = (self.draft.line_len(), self.draft.refused());
        match self.draft.insert(character) {
            Inserted::AtEnd => self.paint(screen, before),
            Inserted::Within => self.repaint(screen),
            Inserted::NewPart => {
                self.start = self.at;
                self.paint(screen, 0);
            }
            Inserted::Full if self.draft.refused() == 0 => say!(*screen, "\x07"),
            Inserted::Full if refused == 0 => self.say_full(screen),
            Inserted::Full => {}
        }
    }

    /// Says once that the message is full.
    fn say_full(&mut self, screen: &mut impl Write) {
        self.leave(screen);
        say!(*screen, "\x07the message is full ({LONGEST_MESSAGE} bytes): what follows is not taken. ");
        say!(*screen, "Ctrl-C drops the message\n");
        self.redraw(screen);
    }

    /// Paints what changed at or behind the cursor, and erases what was there.
    fn repaint(&mut self, screen: &mut impl Write) {
        let cursor = self.draft.before().len();
        // One character earlier, because an insertion changed that one too.
        let from = self.draft.before().char_indices().next_back().map_or(0, |(at, _)| at);
        let cell = self.cell(from);
        self.go(screen, cell);
        self.paint(screen, from);
        say!(*screen, "\x1b[J");
        let cell = self.cell(cursor);
        self.go(screen, cell);
    }

    /// Paints the line from byte `from` on, where the terminal's cursor must stand.
    fn paint(&mut self, screen: &mut impl Write, from: usize) {
        let line = self.draft.line().get(from..).unwrap_or("");
        for character in line.chars() {
            match character {
                '\t' => say!(*screen, "    "),
                _ => say!(*screen, "{character}"),
            }
        }
        self.at = cells(self.at, line, self.columns);
        if !line.is_empty() && self.at.is_multiple_of(self.columns) {
            // A terminal wraps only when the next character comes: make it.
            say!(*screen, " \r");
        }
    }

    /// The cell of byte `offset` of the line.
    fn cell(&self, offset: usize) -> usize {
        cells(self.start, self.draft.line().get(..offset).unwrap_or(""), self.columns)
    }

    /// Moves the terminal's cursor.
    fn go(&mut self, screen: &mut impl Write, cell: usize) {
        let (row, column) = (self.at / self.columns, self.at % self.columns);
        let (to_row, to_column) = (cell / self.columns, cell % self.columns);
        step(screen, row.saturating_sub(to_row), 'A');
        step(screen, to_row.saturating_sub(row), 'B');
        step(screen, column.saturating_sub(to_column), 'D');
        step(screen, to_column.saturating_sub(column), 'C');
        self.at = cell;
    }

    fn enter(&mut self, screen: &mut impl Write) -> Option<Event> {
        if self.draft.refused() == 0 && self.is_unfinished() {
            self.continue_message(screen);
            return None;
        }
        self.leave(screen);
        Some(Event::Submit)
    }

    /// Whether a quotation is open or the line ends with a backslash, which is then taken away.
    fn is_unfinished(&mut self) -> bool {
        let text = self.draft.text();
        if let Some(quoted) = QUOTED_STARTS.iter().find_map(|start| text.strip_prefix(start)) {
            return !quoted.trim_end().ends_with(QUOTES);
        }
        let continued = self.draft.line().ends_with('\\');
        if continued {
            self.draft.end();
            self.draft.backspace();
        }
        continued
    }

    fn continue_message(&mut self, screen: &mut impl Write) {
        self.leave(screen);
        self.draft.new_line();
        self.show(screen, CONTINUATION);
    }

    fn interrupt(&mut self, screen: &mut impl Write) -> Event {
        let event = if self.draft.is_empty() { Event::InterruptedEmpty } else { Event::Dropped };
        let end = self.cell(self.draft.line_len());
        self.go(screen, end);
        say!(*screen, "^C\n");
        event
    }

    fn older(&mut self, screen: &mut impl Write) {
        if self.history.at_newest() {
            self.stash.clear();
            self.stash.extend_from_slice(self.draft.line().as_bytes()).ok();
        }
        let Some(line) = self.history.older() else { return say!(*screen, "\x07") };
        self.draft.set_line(line);
        self.replace(screen);
    }

    fn newer(&mut self, screen: &mut impl Write) {
        if self.history.at_newest() {
            return;
        }
        match self.history.newer() {
            Some(line) => self.draft.set_line(line),
            None => self.draft.set_line(core::str::from_utf8(&self.stash).unwrap_or("")),
        }
        self.replace(screen);
    }

    /// Draws a line that was replaced as a whole.
    fn replace(&mut self, screen: &mut impl Write) {
        let start = self.start;
        self.go(screen, start);
        say!(*screen, "\x1b[J");
        self.paint(screen, 0);
    }
}

fn step(screen: &mut impl Write, count: usize, direction: char) {
    match count {
        0 => {}
        1..=3 if direction == 'D' => (0..count).for_each(|_| say!(*screen, "\x08")),
        _ => say!(*screen, "\x1b[{count}{direction}"),
    }
}

/// The cell behind `text` that begins at cell `at`; a wide character does not straddle two rows.
fn cells(at: usize, text: &str, columns: usize) -> usize {
    text.chars().fold(at, |at, character| {
        let (width, left) = (width(character), columns - at % columns);
        let gap = if width == 2 && left == 1 { 1 } else { 0 };
        at + gap + width
    })
}

/// Cells of a character.
pub fn width(character: char) -> usize {
    match character {
        '\t' => 4,
        _ => character.width().unwrap_or(0),
    }
}
