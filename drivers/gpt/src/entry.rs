//! GUIDs and partition entries.

use crate::GptError;
use crate::header::Header;
use core::fmt;

/// A GUID in its order on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// From "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7". Panics (when compiled, for a constant) over anything else.
    pub const fn new(text: &str) -> Self {
        /// Position on the disk of each byte of the text: the first three fields are little-endian.
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        let text = text.as_bytes();
        assert!(text.len() == 36);
        let (mut bytes, mut at, mut i) = ([0; 16], 0, 0);
        while i < 16 {
            if text[at] == b'-' {
                at += 1;
            }
            bytes[ORDER[i]] = digit(text[at]) << 4 | digit(text[at + 1]);
            (at, i) = (at + 2, i + 1);
        }
        Self(bytes)
    }
}

const fn digit(text: u8) -> u8 {
    match text {
        b'0'..=b'9' => text - b'0',
        b'A'..=b'F' => text - b'A' + 10,
        b'a'..=b'f' => text - b'a' + 10,
        _ => panic!("not a hexadecimal digit"),
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({:032x})", u128::from_be_bytes(self.0))
    }
}

/// A partition that lies inside its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Position in the table, from 0.
    pub index: u32,
    /// What it is for.
    pub kind: Guid,
    /// First sector.
    pub first: u64,
    /// Number of sectors.
    pub sectors: u64,
    /// Name in UTF-16, padded with zeros.
    pub name: [u16; 36],
}

impl Partition {
    /// Whether its name is `name`, whatever the case of ASCII letters.
    pub fn is_called(&self, name: &str) -> bool {
        let units = self.name.iter().copied().take_while(|unit| *unit != 0);
        let characters = char::decode_utf16(units).map(|unit| unit.unwrap_or('?'));
        characters.map(|c| c.to_ascii_lowercase()).eq(name.chars().map(|c| c.to_ascii_lowercase()))
    }

    /// First sector behind it.
    pub fn end(&self) -> u64 {
        self.first + self.sectors
    }

    /// Reads the entry of 128 bytes at position `index`; `None` where it is unused.
    pub(crate) fn read(entry: &[u8; 128], index: u32, header: &Header) -> Result<Option<Self>, GptError> {
        let kind = Guid(core::array::from_fn(|i| entry[i]));
        if kind == Guid([0; 16]) {
            return Ok(None);
        }
        let (first, last) = (number(entry, 32), number(entry, 40));
        let inside = header.first_usable <= first && first <= last && last <= header.last_usable;
        if !inside {
            return Err(GptError::PartitionOutside { index });
        }
        let name = core::array::from_fn(|i| u16::from_le_bytes([entry[56 + 2 * i], entry[57 + 2 * i]]));
        Ok(Some(Self { index, kind, first, sectors: last - first + 1, name }))
    }
}

fn number(entry: &[u8; 128], at: usize) -> u64 {
    u64::from_le_bytes(core::array::from_fn(|i| entry[at + i]))
}
