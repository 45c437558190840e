//! Directory entries and names.

use heapless::String;

/// Most bytes of a name in UTF-8: 255 units of UTF-16.
pub const NAME_BYTES: usize = 255 * 3;

/// A name.
pub type Name = String<NAME_BYTES>;

/// A file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its long name, or the short one where there is none.
    pub name: Name,
    /// Whether it is a directory.
    pub directory: bool,
    /// First cluster.
    pub cluster: u32,
    /// Bytes; 0 for a directory.
    pub size: u32,
}

/// Bytes of an entry on the volume.
pub(crate) const ENTRY: usize = 32;
pub(crate) type Raw = [u8; ENTRY];

const VOLUME_LABEL: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;
const UNITS: usize = 13;
const MAX_PIECES: usize = 20;

/// The pieces of a long name, which stand before their entry, last piece first.
#[derive(Clone, Debug)]
pub(crate) struct LongName {
    units: [u16; UNITS * MAX_PIECES],
    /// Pieces in all, those still missing, and the checksum of the short name they belong to.
    state: Option<(u8, u8, u8)>,
}

impl LongName {
    pub const fn new() -> Self {
        Self { units: [0; UNITS * MAX_PIECES], state: None }
    }

    /// Takes a piece; one that does not fit the pieces before it ends the name.
    fn take(&mut self, raw: &Raw) {
        let (number, last, checksum) = (raw[0] & 0x1f, raw[0] & 0x40 != 0, raw[13]);
        let expected = match self.state {
            _ if last => Some((number, number, checksum)),
            Some((total, missing, sum)) if missing == number && sum == checksum => {
                Some((total, number, checksum))
            }
            _ => None,
        };
        self.state = expected
            .filter(|_| (1..=MAX_PIECES as u8).contains(&number))
            .map(|(total, missing, sum)| (total, missing - 1, sum));
        if self.state.is_some() {
            let at = (usize::from(number) - 1) * UNITS;
            self.units[at..at + UNITS].copy_from_slice(&units(raw));
        }
    }

    /// The name, if it is complete and belongs to the entry.
    fn finish(&mut self, raw: &Raw) -> Option<Name> {
        let (total, missing, checksum) = self.state.take()?;
        if missing != 0 || checksum != short_checksum(raw) {
            return None;
        }
        let units = self.units[..usize::from(total) * UNITS].iter().copied().take_while(|unit| *unit != 0);
        let mut name = Name::new();
        for character in char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)) {
            name.push(character).ok()?;
        }
        (!name.is_empty()).then_some(name)
    }
}

fn units(raw: &Raw) -> [u16; UNITS] {
    const AT: [usize; UNITS] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
    AT.map(|at| u16::from_le_bytes([raw[at], raw[at + 1]]))
}

fn short_checksum(raw: &Raw) -> u8 {
    raw[..11].iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// What an entry on the volume is.
pub(crate) enum Slot {
    /// No entry follows.
    End,
    /// Free, a label, or a piece of a name.
    Skip,
    Entry(Entry),
}

/// Reads one entry. `wide` says whether clusters have their upper half (FAT32).
pub(crate) fn read(raw: &Raw, long: &mut LongName, wide: bool) -> Slot {
    let attributes = raw[11] & 0x3f;
    match raw[0] {
        0 => return Slot::End,
        0xe5 => long.state = None,
        _ if attributes == LONG_NAME => long.take(raw),
        _ if attributes & VOLUME_LABEL != 0 => long.state = None,
        _ => return Slot::Entry(file(raw, long.finish(raw), wide)),
    }
    Slot::Skip
}

fn file(raw: &Raw, long: Option<Name>, wide: bool) -> Entry {
    let directory = raw[11] & DIRECTORY != 0;
    let half = |at: usize| u32::from(u16::from_le_bytes([raw[at], raw[at + 1]]));
    let high = if wide { half(20) << 16 } else { 0 };
    let size = half(28) | half(30) << 16;
    Entry {
        name: long.unwrap_or_else(|| short_name(raw)),
        directory,
        cluster: high | half(26),
        size: if directory { 0 } else { size },
    }
}

/// The name in 8.3 form. Bytes beyond ASCII depend on a code page that nobody recorded, and become '?'.
fn short_name(raw: &Raw) -> Name {
    let (base_lower, extension_lower) = (raw[12] & 0x08 != 0, raw[12] & 0x10 != 0);
    let mut name = Name::new();
    push(&mut name, &raw[..8], base_lower);
    if raw[8..11] != *b"   " {
        let _ = name.push('.');
        push(&mut name, &raw[8..11], extension_lower);
    }
    name
}

fn push(name: &mut Name, bytes: &[u8], lower: bool) {
    let used = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    for byte in &bytes[..used] {
        let character = if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '?' };
        // At most 12 characters: there is room.
        let _ = name.push(if lower { character.to_ascii_lowercase() } else { character });
    }
}
