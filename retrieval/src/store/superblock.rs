// SPDX-License-Identifier: MIT
//! The two superblocks: which is valid, which is newer, and writing the other one.
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, IntoBytes};

use super::device::{BlockDevice, SECTOR};
use super::error::StoreError;
use super::layout::{
    LOG_START, MAX_FRAME_SECTORS, MAX_POSITION, Mark, SUPERBLOCK_MAGIC, SUPERBLOCK_SECTORS, Superblock,
    VERSION, checksum,
};

/// The log must hold this many of the largest frames, so that compaction always has room to work.
pub(super) const MIN_FRAMES: u64 = 8;

impl Superblock {
    /// The first superblock of an empty log that fills a device of `sectors`.
    pub(super) fn create(
        sectors: u64,
        block: u32,
        max_frame: u32,
        store_id: u64,
    ) -> Result<Self, StoreError> {
        let block_valid = block.is_power_of_two() && block <= 64;
        let needed = LOG_START + MIN_FRAMES * u64::from(max_frame);
        let frame_valid =
            (2..=MAX_FRAME_SECTORS).contains(&max_frame) && block_valid && max_frame.is_multiple_of(block);
        if sectors < needed || !frame_valid {
            return Err(StoreError::TooSmall { needed, sectors });
        }
        let mut this = Self::read_from_bytes(&[0; SECTOR]).map_err(|_| StoreError::OutOfMemory)?;
        this.magic = SUPERBLOCK_MAGIC;
        this.version = U32::new(VERSION);
        this.block_sectors = U32::new(block);
        this.max_frame_sectors = U32::new(max_frame);
        this.log_sectors = U64::new((sectors - LOG_START) / u64::from(block) * u64::from(block));
        this.store_id = U64::new(store_id);
        this.tail = Mark::new(0, 1);
        Ok(this)
    }

    fn expected_crc(&self) -> u64 {
        checksum(&[&self.as_bytes()[..SECTOR - 8]])
    }

    fn is_valid(&self) -> bool {
        self.magic == SUPERBLOCK_MAGIC && self.crc.get() == self.expected_crc()
    }

    /// Checks what a correct checksum does not prove: that the numbers make sense for this device.
    fn check(self, sectors: u64) -> Result<Self, StoreError> {
        if self.version.get() != VERSION {
            return Err(StoreError::UnsupportedVersion { found: self.version.get() });
        }
        let (log, block, frame) =
            (self.log_sectors.get(), self.block_sectors.get(), self.max_frame_sectors.get());
        let needed = LOG_START.saturating_add(log);
        let sane =
            Self::create(needed, block, frame, 0).is_ok() && log.is_multiple_of(u64::from(block.max(1)));
        let tail_sane = self.tail.position.get() < MAX_POSITION && self.tail.sequence.get() >= 1;
        if needed > sectors || !sane || !tail_sane {
            return Err(StoreError::WrongGeometry { needed, sectors });
        }
        Ok(self)
    }

    /// Reads both copies; returns the newest valid one and how many are valid.
    pub(super) fn load<D: BlockDevice>(device: &mut D) -> Result<(Self, u8), StoreError> {
        let mut newest: Option<Self> = None;
        let mut valid = 0;
        for sector in SUPERBLOCK_SECTORS {
            let mut bytes = [0; SECTOR];
            if sector >= device.sectors() {
                continue;
            }
            device.read(sector, &mut bytes)?;
            let copy = Self::read_from_bytes(&bytes).map_err(|_| StoreError::NotAStore)?;
            if !copy.is_valid() {
                continue;
            }
            valid += 1;
            if newest.is_none_or(|other| other.generation.get() < copy.generation.get()) {
                newest = Some(copy);
            }
        }
        let found = newest.ok_or(StoreError::NotAStore)?;
        Ok((found.check(device.sectors())?, valid))
    }

    /// Writes the next generation over the older copy. The caller flushes.
    pub(super) fn write_next<D: BlockDevice>(&mut self, device: &mut D) -> Result<(), StoreError> {
        self.generation = U64::new(self.generation.get() + 1);
        self.crc = U64::new(self.expected_crc());
        let copy = (self.generation.get() % 2) as usize;
        Ok(device.write(SUPERBLOCK_SECTORS[copy], self.as_bytes())?)
    }
}
