// SPDX-License-Identifier: MIT
//! GPT-2's byte alphabet: every byte has a printable character, so that vocabularies can be text files.
//!
//! Printable bytes stand for themselves; the 68 others are U+0100 and following, in order.

/// The character for `byte`.
pub(crate) const fn char_of(byte: u8) -> char {
    let code = match byte {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => byte as u32,
        0x00..=0x20 => 0x100 + byte as u32,
        0x7f..=0xa0 => 0x100 + 33 + (byte as u32 - 0x7f),
        0xad => 0x100 + 67,
    };
    match char::from_u32(code) {
        Some(character) => character,
        None => '?',
    }
}

/// The byte that `character` stands for, if it is of the alphabet.
pub(crate) fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    let byte = match code {
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character() {
        for byte in 0..=255 {
            assert_eq!(byte_of(char_of(byte)), Some(byte));
        }
        assert_eq!((char_of(b' '), char_of(b'\n'), char_of(0xad)), ('Ġ', 'Ċ', 'Ń'));
    }
}
