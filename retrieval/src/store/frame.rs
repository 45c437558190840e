// SPDX-License-Identifier: MIT
//! Reading frames that may be anything, and walking the records inside a valid one.
use alloc::vec::Vec;
use zerocopy::{FromBytes, IntoBytes};

use super::device::{BlockDevice, DeviceError, SECTOR};
use super::error::StoreError;
use super::layout::{
    FRAME_HEADER, FRAME_MAGIC, FrameHeader, Key, MAX_POSITION, RECORD_HEADER, RecordHeader, Superblock,
    TOMBSTONE, checksum, record_bytes,
};
use super::ring::Ring;

impl FrameHeader {
    /// Sectors that a frame with this payload takes.
    pub(super) fn sectors_for(payload: usize, block_sectors: u64) -> u64 {
        let sectors = (FRAME_HEADER as u64 + payload as u64).div_ceil(SECTOR as u64);
        sectors.next_multiple_of(block_sectors)
    }

    /// Sectors that this frame takes.
    pub(super) fn sectors(&self, superblock: &Superblock) -> u64 {
        Self::sectors_for(self.payload_bytes.get() as usize, u64::from(superblock.block_sectors.get()))
    }

    pub(super) fn expected_crc(&self, payload: &[u8]) -> u64 {
        checksum(&[&self.as_bytes()[..FRAME_HEADER - 8], payload])
    }

    /// True if the header could begin a frame of this log at `position`; says nothing about the payload.
    fn is_plausible(&self, superblock: &Superblock, position: u64) -> bool {
        self.magic == FRAME_MAGIC
            && self.store_id == superblock.store_id
            && self.position.get() == position
            && position.max(self.sequence.get()) < MAX_POSITION
            && self.tail.position.get() <= position
            && self.sectors(superblock) <= u64::from(superblock.max_frame_sectors.get())
    }
}

/// Reads the frame at `position` into `buffer`, which holds the largest frame; `None` if no valid one is there.
pub(super) fn read_frame<D: BlockDevice>(
    ring: &mut Ring<D>,
    superblock: &Superblock,
    position: u64,
    buffer: &mut [u8],
) -> Result<Option<FrameHeader>, DeviceError> {
    let (first, rest) = buffer.split_at_mut(SECTOR);
    ring.read(position, first)?;
    let Some(header) = header_in(first).filter(|header| header.is_plausible(superblock, position)) else {
        return Ok(None);
    };
    let sectors = header.sectors(superblock) as usize;
    let Some(rest) = rest.get_mut(..(sectors - 1) * SECTOR) else { return Ok(None) };
    if !rest.is_empty() {
        ring.read(position + 1, rest)?;
    }
    let payload = &buffer[FRAME_HEADER..FRAME_HEADER + header.payload_bytes.get() as usize];
    Ok((header.crc.get() == header.expected_crc(payload)).then_some(header))
}

/// The frame header at the start of a sector, if the magic is there.
pub(super) fn header_in(sector: &[u8]) -> Option<FrameHeader> {
    let (header, _) = FrameHeader::read_from_prefix(sector).ok()?;
    (header.magic == FRAME_MAGIC).then_some(header)
}

/// One record of a frame.
pub(super) struct Record<'a> {
    pub(super) key: Key,
    /// `None`: the key is deleted.
    pub(super) body: Option<&'a [u8]>,
    /// Where the record header begins, in bytes from the start of the payload.
    pub(super) offset: usize,
    /// The whole record, header and padding included.
    pub(super) bytes: &'a [u8],
}

/// Walks the records of a payload; ends early at the first malformed one.
pub(super) struct Records<'a> {
    payload: &'a [u8],
    offset: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Self { payload, offset: 0 }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let rest = self.payload.get(self.offset..)?;
        let (header, body) = RecordHeader::read_from_prefix(rest).ok()?;
        let length = header.bytes.get() as usize;
        let data = body.get(..length)?;
        let bytes = rest.get(..record_bytes(length))?;
        let offset = self.offset;
        self.offset += bytes.len();
        let deleted = header.flags.get() & TOMBSTONE != 0;
        Some(Record { key: header.key(), body: (!deleted).then_some(data), offset, bytes })
    }
}

/// Reads one record's body into `out`, checking it against its own checksum.
///
/// `byte` is where the record header lies, in bytes from the start of the log.
pub(super) fn read_record<D: BlockDevice>(
    ring: &mut Ring<D>,
    byte: u64,
    key: Key,
    body_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let (position, skip) = (byte / SECTOR as u64, (byte % SECTOR as u64) as usize);
    let end = skip + RECORD_HEADER + body_bytes;
    out.clear();
    out.try_reserve(end.next_multiple_of(SECTOR)).map_err(|_| StoreError::OutOfMemory)?;
    out.resize(end.next_multiple_of(SECTOR), 0);
    ring.read(position, out)?;
    let corrupt = StoreError::Corrupt { sector: ring.sector(position) };
    let (header, _) = RecordHeader::read_from_prefix(&out[skip..]).map_err(|_| corrupt)?;
    let body = &out[skip + RECORD_HEADER..end];
    let agrees = header.key() == key && header.bytes.get() as usize == body_bytes;
    if !agrees || header.crc.get() != header.checksum(body) {
        return Err(corrupt);
    }
    out.copy_within(skip + RECORD_HEADER..end, 0);
    out.truncate(body_bytes);
    Ok(())
}
