// SPDX-License-Identifier: MIT
//! What opening a store does: replay the log, and name what is missing.
//!
//! One design rule: an honest disk cannot lose a frame that was flushed, so a hole before a later frame, or an end before
//! what a superblock or witness calls acknowledged, is evidence against the disk, and is reported.
use alloc::vec::Vec;
use zerocopy::little_endian::U64;

use super::device::{BlockDevice, SECTOR};
use super::engine::Store;
use super::error::StoreError;
use super::frame::{header_in, read_frame};
use super::layout::{FRAME_HEADER, FrameHeader};

/// How far behind a hole later frames are looked for, in multiples of the largest frame.
const SEARCH_FRAMES: u64 = 4;
/// Damages listed at most; later ones are merged into the last.
const MAX_DAMAGE: usize = 16;

/// Why acknowledged frames are known to be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A later frame says that they were flushed before it was written.
    LaterFrame,
    /// A superblock says so.
    Superblock,
    /// The caller's `Options::witness` says so.
    Witness,
}

/// Acknowledged frames that are not there: the disk lied about a flush, or lost data since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Sequence number of the first missing frame.
    pub first: u64,
    /// Sequence number of the last missing frame.
    pub last: u64,
    /// Sector of the partition where the first should be.
    pub sector: u64,
    /// How it is known.
    pub evidence: Evidence,
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Valid frames in the log.
    pub frames: u64,
    /// Valid superblocks: 2, or 1 after a cut during an update (or a bad sector).
    pub superblocks: u8,
    /// The log ended in a frame that was being written, never acknowledged, and is now discarded.
    pub torn_tail: bool,
    /// Acknowledged data that is missing. Empty on an honest disk, whatever power cuts it saw.
    pub damage: Vec<Damage>,
    /// Damages over the store's life.
    pub lifetime_damage: u32,
}

impl<D: BlockDevice> Store<D> {
    /// Reads the log from the tail to its end into the map.
    pub(super) fn replay(&mut self, witness: Option<u64>) -> Result<Recovery, StoreError> {
        let mut recovery = Recovery::default();
        self.replay_chain(&mut recovery)?;
        if recovery.frames == 0 && self.adopt_newer_tail(&mut recovery)? {
            self.replay_chain(&mut recovery)?;
        }
        recovery.torn_tail = self.has_torn_frame()?;
        self.check_end(&mut recovery, witness);
        Ok(recovery)
    }

    /// Accepts frame after frame until none follows.
    fn replay_chain(&mut self, recovery: &mut Recovery) -> Result<(), StoreError> {
        let mut epoch = 0;
        loop {
            let frame = match self.read_successor(epoch, recovery.frames == 0)? {
                Some(frame) => frame,
                None => match self.search_ahead(epoch)? {
                    Some(frame) => {
                        self.note(recovery, frame.sequence.get() - 1, Evidence::LaterFrame);
                        frame
                    }
                    None => break,
                },
            };
            epoch = frame.epoch.get();
            self.superblock.epoch = U64::new(epoch.max(self.superblock.epoch.get()));
            self.accept(&frame)?;
            recovery.frames += 1;
        }
        Ok(())
    }

    /// For a log that should not be empty, but has no frame at its tail: the superblock may be an old one.
    fn adopt_newer_tail(&mut self, recovery: &mut Recovery) -> Result<bool, StoreError> {
        if self.superblock.acknowledged.sequence.get() < self.superblock.tail.sequence.get() {
            return Ok(false);
        }
        let newest = self.newest_frame(Some(self.superblock.store_id))?;
        let tail = self.superblock.tail;
        let Some(newest) = newest.filter(|frame| frame.tail.sequence.get() > tail.sequence.get()) else {
            return Ok(false);
        };
        self.note(recovery, newest.tail.sequence.get() - 1, Evidence::LaterFrame);
        self.adopt(&newest);
        Ok(true)
    }

    /// The frame that belongs at the head, in the buffer, if it is valid and follows from what came before.
    fn read_successor(&mut self, epoch: u64, first: bool) -> Result<Option<FrameHeader>, StoreError> {
        let frame = read_frame(&mut self.ring, &self.superblock, self.head, &mut self.buffer)?;
        let previous = self.previous_crc;
        Ok(frame.filter(|frame| {
            let follows = first || frame.previous.get() == previous;
            frame.sequence.get() == self.next_sequence && follows && self.may_follow(frame, epoch)
        }))
    }

    /// Epochs never go back, and the log is never longer than its ring.
    fn may_follow(&self, frame: &FrameHeader, epoch: u64) -> bool {
        let end = frame.position.get() + frame.sectors(&self.superblock);
        frame.epoch.get() >= epoch && end <= self.tail() + self.ring.log_sectors
    }

    /// A valid frame behind the head that says the missing one was flushed; it is then in the buffer.
    fn search_ahead(&mut self, epoch: u64) -> Result<Option<FrameHeader>, StoreError> {
        let window = SEARCH_FRAMES * u64::from(self.superblock.max_frame_sectors.get());
        let limit = (self.head + window).max(self.superblock.acknowledged.position.get());
        let end = limit.min(self.tail() + self.ring.log_sectors);
        let mut position = self.head;
        while position < end {
            for candidate in self.candidates(position, end)? {
                let frame = read_frame(&mut self.ring, &self.superblock, candidate, &mut self.buffer)?;
                let missing = self.next_sequence;
                let later = frame.filter(|f| f.sequence.get() > missing && f.flushed.get() >= missing);
                if let Some(frame) = later.filter(|frame| self.may_follow(frame, epoch)) {
                    return Ok(Some(frame));
                }
            }
            position += (self.buffer.len() / SECTOR) as u64;
        }
        Ok(None)
    }

    /// Positions in the next buffer's worth of the log where a frame header names its own place.
    fn candidates(&mut self, position: u64, end: u64) -> Result<Vec<u64>, StoreError> {
        let bytes = self.buffer.len().min(((end - position) as usize).saturating_mul(SECTOR));
        self.ring.read(position, &mut self.buffer[..bytes])?;
        let block = self.superblock.block_sectors.get() as usize;
        let sectors = self.buffer[..bytes].chunks_exact(SECTOR).enumerate().step_by(block);
        let placed = sectors.filter_map(|(index, sector)| {
            let here = position + index as u64;
            header_in(sector).filter(|header| header.position.get() == here).map(|_| here)
        });
        Ok(placed.collect())
    }

    /// Takes the frame in the buffer as the newest so far.
    fn accept(&mut self, frame: &FrameHeader) -> Result<(), StoreError> {
        let payload = frame.payload_bytes.get() as usize;
        let buffer = core::mem::take(&mut self.buffer);
        self.apply(frame.position.get(), &buffer[FRAME_HEADER..FRAME_HEADER + payload]);
        self.buffer = buffer;
        self.head = frame.position.get() + frame.sectors(&self.superblock);
        self.next_sequence = frame.sequence.get() + 1;
        self.previous_crc = frame.crc.get();
        if self.map.len() > self.max_records {
            return Err(StoreError::TooManyRecords { limit: self.max_records });
        }
        Ok(())
    }

    /// True if the head holds the beginning of a frame for that very place whose rest did not arrive.
    fn has_torn_frame(&mut self) -> Result<bool, StoreError> {
        self.ring.read(self.head, &mut self.buffer[..SECTOR])?;
        let found = header_in(&self.buffer[..SECTOR]);
        Ok(found.is_some_and(|frame| {
            frame.position.get() == self.head && frame.store_id == self.superblock.store_id
        }))
    }

    fn check_end(&self, recovery: &mut Recovery, witness: Option<u64>) {
        let last = self.next_sequence - 1;
        let acknowledged = self.superblock.acknowledged.sequence.get();
        if witness.is_some_and(|sequence| sequence > last.max(acknowledged)) {
            self.note(recovery, witness.unwrap_or(last), Evidence::Witness);
        } else if acknowledged > last {
            self.note(recovery, acknowledged, Evidence::Superblock);
        }
    }

    /// Reports the frames from the next one to `last` as missing.
    pub(super) fn note(&self, recovery: &mut Recovery, last: u64, evidence: Evidence) {
        let damage =
            Damage { first: self.next_sequence, last, sector: self.ring.sector(self.head), evidence };
        match recovery.damage.get_mut(MAX_DAMAGE - 1) {
            Some(merged) => merged.last = last,
            None => recovery.damage.push(damage),
        }
    }
}
