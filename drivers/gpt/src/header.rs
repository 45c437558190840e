//! The header: sector 1, and a copy in the last sector.

use crate::{GptError, SECTOR};
use crc::{CRC_32_ISO_HDLC, Crc};

pub(crate) const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

const SIGNATURE: &[u8] = b"EFI PART";
const MIN_HEADER: u32 = 92;
const MAX_TABLE: u64 = 128 * 1024;
const MIN_ENTRY: u32 = 128;

/// A header whose numbers fit the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub first_usable: u64,
    pub last_usable: u64,
    pub entries: u64,
    pub entry_count: u32,
    pub entry_size: u32,
    pub entries_checksum: u32,
}

impl Header {
    /// Reads the header that lies at `at` on a disk of `disk` sectors.
    pub fn read(sector: &[u8; SECTOR], at: u64, disk: u64) -> Result<Self, GptError> {
        check_frame(sector, at)?;
        let header = Self {
            first_usable: u64_at(sector, 40),
            last_usable: u64_at(sector, 48).min(disk - 1),
            entries: u64_at(sector, 72),
            entry_count: u32_at(sector, 80),
            entry_size: u32_at(sector, 84),
            entries_checksum: u32_at(sector, 88),
        };
        header.check_entries(disk).map(|()| header)
    }

    fn check_entries(&self, disk: u64) -> Result<(), GptError> {
        let (size, count) = (self.entry_size, self.entry_count);
        let known = size >= MIN_ENTRY && size.is_power_of_two() && size <= SECTOR as u32 && count > 0;
        if !known || self.table_bytes() > MAX_TABLE {
            return Err(GptError::BadEntryLayout { size, count });
        }
        let end = self.entries.checked_add(self.table_bytes().div_ceil(SECTOR as u64));
        match end {
            Some(end) if end <= disk && self.entries >= 2.min(disk) => Ok(()),
            _ => Err(GptError::EntriesOutside { sector: self.entries }),
        }
    }

    /// Bytes of all entries.
    pub fn table_bytes(&self) -> u64 {
        u64::from(self.entry_size) * u64::from(self.entry_count)
    }
}

fn check_frame(sector: &[u8; SECTOR], at: u64) -> Result<(), GptError> {
    if !sector.starts_with(SIGNATURE) {
        return Err(GptError::NoSignature);
    }
    let (revision, size, says) = (u32_at(sector, 8), u32_at(sector, 12), u64_at(sector, 24));
    if revision >> 16 != 1 {
        return Err(GptError::UnsupportedRevision { revision });
    }
    if !(MIN_HEADER..=SECTOR as u32).contains(&size) {
        return Err(GptError::BadHeaderSize { size });
    }
    if checksum(sector, size as usize) != u32_at(sector, 16) {
        return Err(GptError::HeaderChecksum);
    }
    if says != at { Err(GptError::Misplaced { sector: at, says }) } else { Ok(()) }
}

/// Over `size` bytes of the header, with the checksum's own field as zero.
fn checksum(sector: &[u8; SECTOR], size: usize) -> u32 {
    let mut digest = CRC.digest();
    digest.update(&sector[..16]);
    digest.update(&[0; 4]);
    digest.update(&sector[20..size]);
    digest.finalize()
}

fn u32_at(sector: &[u8; SECTOR], at: usize) -> u32 {
    u32::from_le_bytes(core::array::from_fn(|i| sector[at + i]))
}

fn u64_at(sector: &[u8; SECTOR], at: usize) -> u64 {
    u64::from_le_bytes(core::array::from_fn(|i| sector[at + i]))
}
