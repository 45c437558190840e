// SPDX-License-Identifier: MIT
//! Compaction: the oldest frames' live records move to the head, then the tail moves.
//!
//! One design rule: space becomes free only when the superblock that gives it up is flushed.
use alloc::vec::Vec;

use super::batch::Batch;
use super::device::{BlockDevice, SECTOR};
use super::engine::Store;
use super::error::StoreError;
use super::frame::{Records, read_frame};
use super::layout::{FRAME_HEADER, FrameHeader, Mark, record_bytes};

/// Frames read for one step at most, in multiples of the largest frame: bounds how long a step takes.
const STEP_FRAMES: u64 = 4;

impl<D: BlockDevice> Store<D> {
    fn free(&self) -> u64 {
        self.ring.log_sectors - (self.head - self.tail())
    }

    /// Compacts until the batch fits, or says that it never will.
    pub(super) fn make_room(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let block = u64::from(self.superblock.block_sectors.get());
        let frame = u64::from(self.superblock.max_frame_sectors.get());
        let needed = FrameHeader::sectors_for(batch.bytes(), block);
        let live = self.live_bytes.div_ceil(SECTOR as u64);
        if batch.puts > 0 && live + needed > self.usable() {
            return Err(StoreError::Full { needed, free: self.usable().saturating_sub(live) });
        }
        // Deletions may use the second reserve frame: a full store must be able to forget.
        let reserve = if batch.puts > 0 { 2 * frame } else { frame };
        let lap_ends = self.head;
        while self.free() < needed + reserve {
            if self.tail() >= lap_ends {
                return Err(StoreError::Full { needed, free: self.free().saturating_sub(reserve) });
            }
            self.compact_step()?;
        }
        Ok(())
    }

    /// Moves the live records of the oldest frames to the head and frees those frames; returns the sectors gained.
    ///
    /// Call it while idle to keep commits short; a commit that needs room calls it itself.
    ///
    /// # Errors
    /// [`StoreError::Device`]: the store is poisoned until opened again. [`StoreError::Poisoned`].
    pub fn compact_step(&mut self) -> Result<u64, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let before = self.free();
        let (moved, records, tail) = self.collect_live()?;
        if records > 0 {
            self.buffer[FRAME_HEADER..FRAME_HEADER + moved.len()].copy_from_slice(&moved);
            let position = self.append_frame(moved.len(), records)?;
            self.apply(position, &moved);
        }
        self.move_tail(tail)?;
        Ok(self.free().saturating_sub(before))
    }

    /// Gathers live records from the tail on, as many as fit one frame; returns them and where the tail may go.
    fn collect_live(&mut self) -> Result<(Vec<u8>, u32, Mark), StoreError> {
        let mut moved = Vec::new();
        let (mut position, mut sequence) = (self.tail(), self.superblock.tail.sequence.get());
        let (mut records, mut gap) = (0, false);
        let last = position + STEP_FRAMES * u64::from(self.superblock.max_frame_sectors.get());
        while position < self.head.min(last) {
            let Some(header) = read_frame(&mut self.ring, &self.superblock, position, &mut self.buffer)?
            else {
                position += u64::from(self.superblock.block_sectors.get());
                gap = true;
                continue;
            };
            sequence = header.sequence.get();
            let payload = FRAME_HEADER + header.payload_bytes.get() as usize;
            let count = self.collect_frame(position, payload, &mut moved)?;
            let Some(count) = count else { break };
            records += count;
            position += header.sectors(&self.superblock);
            sequence += 1;
        }
        if gap {
            self.forget_unreadable(position, &moved);
        }
        Ok((moved, records, Mark::new(position, sequence.min(self.next_sequence))))
    }

    /// Appends the live records of the frame in the buffer to `moved`; `None`, and nothing, if they do not fit.
    fn collect_frame(
        &self,
        position: u64,
        end: usize,
        moved: &mut Vec<u8>,
    ) -> Result<Option<u32>, StoreError> {
        let start = position * SECTOR as u64 + FRAME_HEADER as u64;
        let (before, mut count) = (moved.len(), 0);
        for record in Records::new(&self.buffer[FRAME_HEADER..end]) {
            if self.map.get(&record.key).is_none_or(|place| place.byte != start + record.offset as u64) {
                continue;
            }
            if moved.len() + record.bytes.len() > self.batch_limit() {
                moved.truncate(before);
                return Ok(None);
            }
            moved.try_reserve(record.bytes.len()).map_err(|_| StoreError::OutOfMemory)?;
            moved.extend_from_slice(record.bytes);
            count += 1;
        }
        Ok(Some(count))
    }

    /// Drops map entries before the new tail that were not moved: their frames have become unreadable.
    fn forget_unreadable(&mut self, tail: u64, moved: &[u8]) {
        let old = self.tail() * SECTOR as u64;
        let readable: Vec<_> = Records::new(moved).map(|record| record.key).collect();
        let lost: Vec<_> = self
            .map
            .iter()
            .filter(|(key, place)| {
                (old..tail * SECTOR as u64).contains(&place.byte) && !readable.contains(key)
            })
            .map(|(key, place)| (*key, *place))
            .collect();
        for (key, place) in lost {
            self.map.remove(&key);
            self.live_bytes -= record_bytes(place.bytes as usize) as u64;
        }
    }

    fn move_tail(&mut self, tail: Mark) -> Result<(), StoreError> {
        if tail == self.superblock.tail {
            return Ok(());
        }
        self.poisoned = true;
        self.superblock.tail = tail;
        self.write_superblock()?;
        self.ring.device.flush()?;
        self.poisoned = false;
        Ok(())
    }
}
