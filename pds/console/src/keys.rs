// SPDX-License-Identifier: MIT
//! From the bytes of a terminal to keys.
//!
//! One design rule: every state is left after a bounded number of bytes, so no sequence, however broken, can
//! swallow what is typed after it.
//!
//! Limits: a control sequence has at most [`LONGEST_SEQUENCE`] bytes; of its parameters the first two count.
//! Unknown sequences are ignored, except in pasted text, where nothing may vanish: there they become
//! [`Key::Invalid`].

/// Bytes after which a control sequence that has not ended is given up.
pub const LONGEST_SEQUENCE: u8 = 24;

/// What the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character to insert.
    Char(char),
    /// Bytes that are not UTF-8, or a control character within pasted text.
    Invalid,
    /// Enter, Ctrl-J.
    Enter,
    /// A line end within pasted text.
    PastedNewline,
    /// Backspace, Ctrl-H.
    Backspace,
    /// Delete.
    Delete,
    /// Left, Ctrl-B.
    Left,
    /// Right, Ctrl-F.
    Right,
    /// Up, Ctrl-P.
    Up,
    /// Down, Ctrl-N.
    Down,
    /// Home, Ctrl-A.
    Home,
    /// End, Ctrl-E.
    End,
    /// Alt-B, Ctrl-Left.
    WordLeft,
    /// Alt-F, Ctrl-Right.
    WordRight,
    /// Ctrl-W, Alt-Backspace.
    KillWord,
    /// Ctrl-K.
    KillToEnd,
    /// Ctrl-U.
    KillToStart,
    /// Ctrl-L.
    ClearScreen,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-C.
    Interrupt,
    /// The terminal's answer to a question about its cursor: column.
    CursorAt(u16),
}

/// The state of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// `ESC [`: parameters so far, which of them is being read, bytes so far.
    Sequence {
        parameters: [u16; 2],
        index: u8,
        length: u8,
    },
    /// `ESC O`.
    Shift3,
    /// A character of several bytes: those it still needs.
    Character {
        missing: u8,
    },
}

/// Turns bytes into keys.
#[derive(Debug, Default)]
pub struct Keys {
    state: State,
    bytes: heapless::Vec<u8, 4>,
    pasting: bool,
    after_return: bool,
}

/// Keys that one byte completes: at most two, because a byte may also end a broken character.
pub type Completed = heapless::Vec<Key, 2>;

impl Keys {
    /// Whether the bytes belong to a bracketed paste.
    pub fn pasting(&self) -> bool {
        self.pasting
    }

    /// Takes a byte.
    pub fn push(&mut self, byte: u8) -> Completed {
        let mut keys = Completed::new();
        if let State::Character { missing } = self.state {
            if byte & 0xc0 == 0x80 {
                keys.extend(self.continuation(byte, missing));
                return keys;
            }
            self.state = State::Ground;
            keys.extend([Key::Invalid]);
        }
        keys.extend(self.byte(byte));
        keys
    }

    fn byte(&mut self, byte: u8) -> Option<Key> {
        match self.state {
            State::Ground | State::Character { .. } => self.ground(byte),
            State::Escape => self.escape(byte),
            State::Sequence { parameters, index, length } => self.sequence(byte, parameters, index, length),
            State::Shift3 => {
                self.state = State::Ground;
                self.arrow(byte, 0).or(self.unknown())
            }
        }
    }

    fn continuation(&mut self, byte: u8, missing: u8) -> Option<Key> {
        self.bytes.push(byte).ok();
        if missing > 1 {
            self.state = State::Character { missing: missing - 1 };
            return None;
        }
        self.state = State::Ground;
        let character = core::str::from_utf8(&self.bytes).ok().and_then(|text| text.chars().next());
        Some(character.map_or(Key::Invalid, |c| if c.is_control() { Key::Invalid } else { Key::Char(c) }))
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        let after_return = core::mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            0x1b => {
                self.state = State::Escape;
                None
            }
            b'\n' if after_return => None,
            b'\r' | b'\n' if self.pasting => Some(Key::PastedNewline),
            b'\t' | b' '..=b'~' => Some(Key::Char(byte.into())),
            0x80.. => self.lead(byte),
            _ if self.pasting => Some(Key::Invalid),
            _ => control(byte),
        }
    }

    fn lead(&mut self, byte: u8) -> Option<Key> {
        let missing = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => return Some(Key::Invalid),
        };
        self.bytes.clear();
        self.bytes.push(byte).ok();
        self.state = State::Character { missing };
        None
    }

    fn escape(&mut self, byte: u8) -> Option<Key> {
        self.state = State::Ground;
        match byte {
            b'[' => self.state = State::Sequence { parameters: [0; 2], index: 0, length: 0 },
            b'O' => self.state = State::Shift3,
            0x1b => self.state = State::Escape,
            _ if self.pasting => return Some(Key::Invalid),
            b'b' | b'B' => return Some(Key::WordLeft),
            b'f' | b'F' => return Some(Key::WordRight),
            0x7f | 0x08 => return Some(Key::KillWord),
            b' '..=b'~' => {}
            // A lone Escape before a control key or a character of another language: that one still counts.
            _ => return self.ground(byte),
        }
        None
    }

    fn sequence(&mut self, byte: u8, mut parameters: [u16; 2], index: u8, length: u8) -> Option<Key> {
        self.state = State::Ground;
        let mut next = index;
        match byte {
            b'0'..=b'9' => {
                if let Some(value) = parameters.get_mut(usize::from(index)) {
                    *value = value.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
                }
            }
            b';' => next = index.saturating_add(1),
            b' '..=b'?' => {}
            b'@'..=b'~' => return self.finish(byte, parameters),
            // Not a control sequence after all: the byte is a key of its own.
            _ => return self.ground(byte),
        }
        if length < LONGEST_SEQUENCE {
            self.state = State::Sequence { parameters, index: next, length: length + 1 };
        }
        None
    }

    fn finish(&mut self, byte: u8, [first, second]: [u16; 2]) -> Option<Key> {
        match (byte, first) {
            (b'~', 200) => self.pasting = true,
            (b'~', 201) => self.pasting = false,
            (b'~', 1 | 7) => return Some(Key::Home),
            (b'~', 4 | 8) => return Some(Key::End),
            (b'~', 3) => return Some(Key::Delete),
            (b'R', _) => return Some(Key::CursorAt(second)),
            _ => return self.arrow(byte, second).or(self.unknown()),
        }
        None
    }

    /// Keys named by a letter; modifiers 3 (Alt) and 5 (Ctrl) go by words.
    fn arrow(&self, byte: u8, modifier: u16) -> Option<Key> {
        match (byte, modifier) {
            (b'A', _) => Some(Key::Up),
            (b'B', _) => Some(Key::Down),
            (b'C', 3 | 5) => Some(Key::WordRight),
            (b'D', 3 | 5) => Some(Key::WordLeft),
            (b'C', _) => Some(Key::Right),
            (b'D', _) => Some(Key::Left),
            (b'H', _) => Some(Key::Home),
            (b'F', _) => Some(Key::End),
            _ => None,
        }
    }

    fn unknown(&self) -> Option<Key> {
        self.pasting.then_some(Key::Invalid)
    }
}

fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' | b'\n' => Key::Enter,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::EndOfInput,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x08 | 0x7f => Key::Backspace,
        0x0b => Key::KillToEnd,
        0x0c => Key::ClearScreen,
        0x0e => Key::Down,
        0x10 => Key::Up,
        0x15 => Key::KillToStart,
        0x17 => Key::KillWord,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes.iter().flat_map(|byte| keys.push(*byte)).collect()
    }

    #[test]
    fn every_control_key_is_known() {
        use Key::*;
        for (byte, key) in [
            (1, Home),
            (2, Left),
            (3, Interrupt),
            (4, EndOfInput),
            (5, End),
            (6, Right),
            (8, Backspace),
            (10, Enter),
            (11, KillToEnd),
            (12, ClearScreen),
            (13, Enter),
            (14, Down),
            (16, Up),
            (21, KillToStart),
            (23, KillWord),
            (127, Backspace),
        ] {
            assert_eq!(keys(&[byte]), [key], "byte {byte}");
        }
    }

    #[test]
    fn every_sequence_is_known() {
        use Key::*;
        for (bytes, key) in [
            ("\x1b[A", Up),
            ("\x1b[B", Down),
            ("\x1b[C", Right),
            ("\x1b[D", Left),
            ("\x1b[H", Home),
            ("\x1b[F", End),
            ("\x1bOA", Up),
            ("\x1bOH", Home),
            ("\x1b[1~", Home),
            ("\x1b[4~", End),
            ("\x1b[7~", Home),
            ("\x1b[8~", End),
            ("\x1b[3~", Delete),
            ("\x1b[1;5C", WordRight),
            ("\x1b[1;5D", WordLeft),
            ("\x1bb", WordLeft),
            ("\x1bf", WordRight),
            ("\x1b\x7f", KillWord),
            ("\x1b[24;100R", CursorAt(100)),
        ] {
            assert_eq!(keys(bytes.as_bytes()), [key], "{bytes:?}");
        }
    }

    #[test]
    fn unknown_and_endless_sequences_swallow_nothing_that_follows() {
        assert_eq!(keys(b"\x1b[99;99zx"), [Key::Char('x')]);
        let mut endless = std::vec![0x1b, b'['];
        endless.extend([b'9'; 1000]);
        endless.extend(b"x\r");
        let found = keys(&endless);
        assert_eq!(found.last(), Some(&Key::Enter));
        assert!(found.contains(&Key::Char('9')), "given up after {LONGEST_SEQUENCE} bytes");
        assert_eq!(keys(b"\x1b[\x03"), [Key::Interrupt]);
        assert_eq!(keys(b"\x1b\x03"), [Key::Interrupt]);
    }

    #[test]
    fn characters_of_several_bytes_come_whole() {
        assert_eq!(keys("é漢🦀".as_bytes()), [Key::Char('é'), Key::Char('漢'), Key::Char('🦀')]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_and_swallow_nothing() {
        assert_eq!(keys(b"\xffa"), [Key::Invalid, Key::Char('a')]);
        assert_eq!(keys(b"\xe6\xbca"), [Key::Invalid, Key::Char('a')]);
        assert_eq!(keys(b"\xed\xa0\x80a"), [Key::Invalid, Key::Char('a')], "a surrogate");
        assert_eq!(keys(b"\xe6\x03"), [Key::Invalid, Key::Interrupt]);
        assert_eq!(keys("\u{85}".as_bytes()), [Key::Invalid], "a control character of two bytes");
    }

    #[test]
    fn a_line_end_is_one_key_however_it_is_sent() {
        assert_eq!(keys(b"\r\n\n\r"), [Key::Enter, Key::Enter, Key::Enter]);
    }

    #[test]
    fn a_paste_keeps_its_line_ends_and_names_its_control_bytes() {
        let pasted = keys(b"\x1b[200~a\r\nb\x03\x1b[31mc\x1b[201~\r");
        let a = [Key::Char('a'), Key::PastedNewline, Key::Char('b'), Key::Invalid, Key::Invalid];
        assert_eq!(pasted[..5], a);
        assert_eq!(pasted[5..], [Key::Char('c'), Key::Enter]);
    }
}
