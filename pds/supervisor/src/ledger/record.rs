//! The account as it lies on the disk: two copies, written in turns, so that a power cut leaves one of them whole.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `CLSTVERS` |
//! | 8..12 | CRC-32 (ISO-HDLC) of everything behind it |
//! | 12..16 | length of what follows |
//! | 16.. | number of the record and the versions, in postcard's encoding; then zeros |
//!
//! One design rule: the checksum finds accidents, not forgers: whoever can write the disk can write a record.

use crate::model::versions::{MOST, Versions};
use crc::{CRC_32_ISO_HDLC, Crc};
use heapless::Vec;
use ipc_protocol::signing::Minimum;
use ipc_protocol::storage::SECTOR;
use serde::{Deserialize, Serialize};

/// Sectors of one copy.
pub const SECTORS: u32 = 2;
/// Bytes of one copy.
pub const BYTES: usize = SECTORS as usize * SECTOR;
/// First sectors of the copies: 4 KiB apart, so that no physical block holds both.
pub const COPIES: [u64; 2] = [0, 8];

const MAGIC: [u8; 8] = *b"CLSTVERS";
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What a copy holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Grows by one with every record written.
    pub number: u64,
    /// Newest versions that were in use.
    pub versions: Vec<Minimum, MOST>,
}

/// How a copy reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copy {
    /// Nothing was ever written there.
    Blank,
    /// Something else, or half a record.
    Damaged,
    /// A record.
    Whole(Record),
}

impl Record {
    /// The record after this one.
    pub fn next(&self, versions: &Versions) -> Self {
        let versions = versions.entries().iter().cloned().collect();
        Self { number: self.number.wrapping_add(1), versions }
    }

    /// The copy that it belongs to: its first sector.
    pub fn place(&self) -> u64 {
        COPIES[(self.number % 2) as usize]
    }

    /// Its bytes; `None`: it is too long, which [`MOST`] names never are.
    pub fn encode(&self) -> Option<[u8; BYTES]> {
        let mut bytes = [0; BYTES];
        let used = postcard::to_slice(self, &mut bytes[16..]).ok()?.len() as u32;
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[12..16].copy_from_slice(&used.to_le_bytes());
        let checksum = CHECKSUM.checksum(&bytes[12..]);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
        Some(bytes)
    }

    /// Reads a copy.
    pub fn decode(bytes: &[u8; BYTES]) -> Copy {
        if bytes.iter().all(|byte| *byte == 0) {
            return Copy::Blank;
        }
        let number = |at: usize| bytes[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        let whole = bytes[..8] == MAGIC && number(8) == CHECKSUM.checksum(&bytes[12..]);
        let record = bytes[16..].get(..number(12) as usize).filter(|_| whole);
        match record.map(postcard::from_bytes) {
            Some(Ok(record)) => Copy::Whole(record),
            _ => Copy::Damaged,
        }
    }

    /// The newer of two copies, `None` when there is none; and whether nothing but damage was found.
    pub fn newer(copies: [Copy; 2]) -> (Option<Self>, bool) {
        match copies {
            [Copy::Whole(a), Copy::Whole(b)] => (Some(if a.number >= b.number { a } else { b }), false),
            [Copy::Whole(record), _] | [_, Copy::Whole(record)] => (Some(record), false),
            [Copy::Damaged, _] | [_, Copy::Damaged] => (None, true),
            [Copy::Blank, Copy::Blank] => (None, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc_protocol::signing::Identity;
    use proptest::prelude::*;

    fn record(number: u64, names: usize) -> Record {
        let entry = |index| Minimum { identity: Identity::new(&[b'a' + index as u8; 48]), version: u64::MAX };
        Record { number, versions: (0..names).map(entry).collect() }
    }

    #[test]
    fn the_longest_record_fits_and_reads_as_written() {
        for names in [0, 1, MOST] {
            let written = record(u64::MAX, names);
            assert_eq!(Record::decode(&written.encode().unwrap()), Copy::Whole(written));
        }
        assert_eq!(Record::decode(&[0; BYTES]), Copy::Blank);
    }

    #[test]
    fn records_go_to_the_copies_in_turns_and_the_newer_one_counts() {
        let (old, new) = (record(4, 1), record(4, 1).next(&Versions::default()));
        assert_ne!(old.place(), new.place());
        let whole = |record: &Record| Copy::Whole(record.clone());
        assert_eq!(Record::newer([whole(&new), whole(&old)]), (Some(new.clone()), false));
        assert_eq!(Record::newer([whole(&old), whole(&new)]), (Some(new), false));
        assert_eq!(Record::newer([Copy::Damaged, whole(&old)]), (Some(old), false));
        assert_eq!(Record::newer([Copy::Blank, Copy::Damaged]), (None, true));
        assert_eq!(Record::newer([Copy::Blank, Copy::Blank]), (None, false));
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_damage(at in 0..BYTES, change in 1u8..) {
            let mut bytes = record(9, 3).encode().unwrap();
            bytes[at] ^= change;
            prop_assert_eq!(Record::decode(&bytes), Copy::Damaged);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), BYTES), right in any::<bool>()) {
            let mut bytes: [u8; BYTES] = bytes.try_into().unwrap();
            if right {
                bytes[..8].copy_from_slice(&MAGIC);
                let checksum = CHECKSUM.checksum(&bytes[12..]);
                bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
            }
            if let Copy::Whole(record) = Record::decode(&bytes) {
                prop_assert!(record.versions.len() <= MOST);
            }
        }
    }
}
