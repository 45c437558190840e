//! Sentences for people, in the pieces that messages carry.

use core::fmt::{self, Write};
use ipc_protocol::{Name, PIECE, Piece};

/// A text of at most one piece; what does not fit is cut at a character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Piece);

impl Text {
    /// Formats a sentence.
    pub fn new(sentence: fmt::Arguments) -> Self {
        let mut text = Self::default();
        let _ = text.write_fmt(sentence);
        text
    }

    /// The piece.
    pub fn piece(self) -> Piece {
        self.0
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = PIECE - self.0.as_slice().len();
        let end = text.floor_char_boundary(room);
        self.0.0.extend_from_slice(&text.as_bytes()[..end]).map_err(|_| fmt::Error)
    }
}

/// Formats a sentence as a piece.
macro_rules! piece {
    ($($sentence:tt)*) => { $crate::text::Text::new(format_args!($($sentence)*)).piece() };
}
pub(crate) use piece;

/// A name as it is shown: printable ASCII and UTF-8 text, everything else as "?".
pub fn name(text: &str) -> Name {
    Name::new(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::string::String;

    #[test]
    fn a_long_sentence_is_cut_at_a_character() {
        let long: String = core::iter::repeat_n('ü', 150).collect();
        assert_eq!(piece!("{long}").as_slice().len(), 200);
        assert_eq!(piece!("x{long}").text().len(), 199);
    }
}
