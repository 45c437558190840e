// SPDX-License-Identifier: MIT
//! The on-disk structures, byte for byte, and their checksum.
use crc::{CRC_64_XZ, Crc, Table};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::device::SECTOR;

/// Version of the layout in this file.
pub const VERSION: u32 = 1;
/// First bytes of a superblock.
pub const SUPERBLOCK_MAGIC: [u8; 8] = *b"CLSTORE\0";
/// First bytes of a frame.
pub const FRAME_MAGIC: [u8; 4] = *b"CLFR";
/// Sectors of superblocks A and B.
pub const SUPERBLOCK_SECTORS: [u64; 2] = [0, 8];
/// First sector of the log.
pub const LOG_START: u64 = 16;
/// Records begin at multiples of this many bytes.
pub const RECORD_ALIGN: usize = 16;
/// `RecordHeader::flags`: the key is deleted; no body follows.
pub const TOMBSTONE: u16 = 1;
/// The largest frame that a superblock may declare, in sectors (2 MiB): bounds the memory an untrusted partition asks for.
pub const MAX_FRAME_SECTORS: u32 = 4096;
/// Positions and sequences at or above this are not believed: far from where their arithmetic would overflow.
pub const MAX_POSITION: u64 = 1 << 48;

static CRC64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

/// CRC-64/XZ of the concatenated parts.
pub fn checksum(parts: &[&[u8]]) -> u64 {
    let mut digest = CRC64.digest();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize()
}

/// A place in the log: a position, and the sequence number of the frame there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Mark {
    /// Sectors since the log was made.
    pub position: U64,
    /// Sequence number; the first frame has 1.
    pub sequence: U64,
}

impl Mark {
    /// The mark of `sequence` at `position`.
    pub fn new(position: u64, sequence: u64) -> Self {
        Self { position: U64::new(position), sequence: U64::new(sequence) }
    }
}

/// One sector that says where the log begins and how far it was acknowledged.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Superblock {
    /// [`SUPERBLOCK_MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: U32,
    /// Frames begin at multiples of this many sectors (a physical block).
    pub block_sectors: U32,
    /// The largest frame, in sectors.
    pub max_frame_sectors: U32,
    /// How often acknowledged data was missing at a start.
    pub damage: U32,
    /// Size of the log.
    pub log_sectors: U64,
    /// Random name of this log; frames of another never match.
    pub store_id: U64,
    /// Grows with each superblock written; its lowest bit says which copy this is.
    pub generation: U64,
    /// Grows with each start.
    pub epoch: U64,
    /// The oldest frame.
    pub tail: Mark,
    /// End of the newest frame known to be flushed, and its sequence number.
    pub acknowledged: Mark,
    /// Zeros.
    pub reserved: [u8; 416],
    /// CRC-64/XZ of the bytes before.
    pub crc: U64,
}

/// In front of each frame's records.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct FrameHeader {
    /// [`FRAME_MAGIC`].
    pub magic: [u8; 4],
    /// Bytes of records after this header.
    pub payload_bytes: U32,
    /// Number of records.
    pub records: U32,
    /// Zeros.
    pub reserved: U32,
    /// The log's random name.
    pub store_id: U64,
    /// The frame's own position.
    pub position: U64,
    /// One more than its predecessor's.
    pub sequence: U64,
    /// The start in which it was written.
    pub epoch: U64,
    /// The oldest frame when it was written.
    pub tail: Mark,
    /// All frames up to this sequence were flushed before this one was written.
    pub flushed: U64,
    /// Checksum of the predecessor.
    pub previous: U64,
    /// Zeros.
    pub reserved_2: U64,
    /// CRC-64/XZ of the bytes before and of the records.
    pub crc: U64,
}

/// Names a record: its kind (see `record::Kind`) and its number among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What the body is; the store itself attaches no meaning.
    pub kind: u16,
    /// The number.
    pub id: u64,
}

/// In front of each record's body.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct RecordHeader {
    /// [`Key::kind`].
    pub kind: U16,
    /// [`TOMBSTONE`] or 0.
    pub flags: U16,
    /// Bytes of the body.
    pub bytes: U32,
    /// [`Key::id`].
    pub id: U64,
    /// CRC-64/XZ of the 16 bytes before and of the body.
    pub crc: U64,
    /// Zeros.
    pub reserved: U64,
}

/// Bytes of a [`FrameHeader`].
pub const FRAME_HEADER: usize = size_of::<FrameHeader>();
/// Bytes of a [`RecordHeader`].
pub const RECORD_HEADER: usize = size_of::<RecordHeader>();

const _: () = assert!(size_of::<Superblock>() == SECTOR);
const _: () = assert!(FRAME_HEADER == 96 && FRAME_HEADER.is_multiple_of(RECORD_ALIGN));
const _: () = assert!(RECORD_HEADER == 32 && RECORD_HEADER.is_multiple_of(RECORD_ALIGN));

/// Bytes that a record with this body takes in a frame.
pub const fn record_bytes(body: usize) -> usize {
    RECORD_HEADER + body.next_multiple_of(RECORD_ALIGN)
}

impl RecordHeader {
    /// The header for a body, or for a deletion where there is none.
    pub fn new(key: Key, body: Option<&[u8]>) -> Self {
        let data = body.unwrap_or(&[]);
        let flags = if body.is_some() { 0 } else { TOMBSTONE };
        let mut header = Self {
            kind: U16::new(key.kind),
            flags: U16::new(flags),
            bytes: U32::new(data.len() as u32),
            id: U64::new(key.id),
            crc: U64::new(0),
            reserved: U64::new(0),
        };
        header.crc = U64::new(header.checksum(data));
        header
    }

    /// The record's name.
    pub fn key(&self) -> Key {
        Key { kind: self.kind.get(), id: self.id.get() }
    }

    /// What [`crc`](Self::crc) must be for this body.
    pub fn checksum(&self, body: &[u8]) -> u64 {
        checksum(&[&self.as_bytes()[..16], body])
    }
}
