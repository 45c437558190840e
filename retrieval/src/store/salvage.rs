// SPDX-License-Identifier: MIT
//! Finding the log again when the superblocks are lost or stale: each frame says where the tail was.
use super::device::{BlockDevice, SECTOR};
use super::engine::{Options, Store};
use super::error::StoreError;
use super::frame::{header_in, read_frame};
use super::layout::{FrameHeader, Superblock};
use super::recovery::Recovery;
use zerocopy::little_endian::U64;

impl<D: BlockDevice> Store<D> {
    /// Rebuilds lost superblocks from the newest valid frame of the log, then opens. For [`StoreError::NotAStore`].
    ///
    /// `options` must name the block and frame sizes that the store was formatted with. A deletion survives only if
    /// its frame did; text inside a destroyed frame that imitates a frame could be taken for one.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] if there is no valid frame either; else as [`Store::open`].
    pub fn salvage(device: D, options: &Options) -> Result<(Self, Recovery), StoreError> {
        let (block, frame) = (options.block_sectors, options.max_frame_sectors);
        let superblock = Superblock::create(device.sectors(), block, frame, 0)?;
        let mut this = Self::empty(device, superblock, options)?;
        let newest = this.newest_frame(None)?.ok_or(StoreError::NotAStore)?;
        this.adopt(&newest);
        let mut recovery = this.replay(options.witness)?;
        this.begin_epoch(&mut recovery)?;
        Ok((this, recovery))
    }

    /// Takes the log's name, epoch and tail from a frame.
    pub(super) fn adopt(&mut self, frame: &FrameHeader) {
        self.superblock.store_id = frame.store_id;
        self.superblock.epoch = frame.epoch;
        self.superblock.tail = frame.tail;
        self.head = frame.tail.position.get();
        self.next_sequence = frame.tail.sequence.get();
    }

    /// The valid frame with the highest epoch and sequence, wherever it lies; of one log, or of any.
    pub(super) fn newest_frame(&mut self, store_id: Option<U64>) -> Result<Option<FrameHeader>, StoreError> {
        let (mut sector, mut newest) = (0, None::<FrameHeader>);
        while sector < self.ring.log_sectors {
            let Some(frame) = self.frame_in_sector(sector, store_id)? else {
                sector += u64::from(self.superblock.block_sectors.get());
                continue;
            };
            sector += frame.sectors(&self.superblock);
            let rank = |frame: &FrameHeader| (frame.epoch.get(), frame.sequence.get());
            newest = newest.filter(|other| rank(other) > rank(&frame)).or(Some(frame));
        }
        Ok(newest)
    }

    /// The valid frame that begins in a sector of the log, whichever lap it is from.
    fn frame_in_sector(
        &mut self,
        sector: u64,
        store_id: Option<U64>,
    ) -> Result<Option<FrameHeader>, StoreError> {
        self.ring.read(sector, &mut self.buffer[..SECTOR])?;
        let Some(found) = header_in(&self.buffer[..SECTOR]) else { return Ok(None) };
        let position = found.position.get();
        if position % self.ring.log_sectors != sector || store_id.is_some_and(|id| id != found.store_id) {
            return Ok(None);
        }
        let view = Superblock { store_id: found.store_id, ..self.superblock };
        Ok(read_frame(&mut self.ring, &view, position, &mut self.buffer)?)
    }
}
