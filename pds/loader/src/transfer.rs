//! Reading a stretch of a file with several reads under way.

use crate::LoadError;
use crate::disk::{Disk, Read};
use alloc::vec::Vec;
use drivers_fat::{Extent, SECTOR};
use heapless::Deque;
use ipc_protocol::storage::MAX_IN_FLIGHT;

const SECTOR_BYTES: u64 = SECTOR as u64;

/// Where a file lies on the volume, and how much of it has been read.
pub(crate) struct Transfer {
    extents: Vec<Extent>,
    /// Bytes of the file.
    size: u64,
    /// First byte that nobody has asked for; a multiple of the sector size, or the size.
    asked: u64,
    /// First byte that has not arrived.
    arrived: u64,
    /// The extent with byte `asked`, and the sectors of it that were asked for.
    extent: usize,
    within: u32,
    /// Reads under way in file order, with their bytes.
    reads: Deque<(Read, usize), MAX_IN_FLIGHT>,
}

impl Transfer {
    pub fn new(extents: Vec<Extent>, size: u64) -> Self {
        Self { extents, size, asked: 0, arrived: 0, extent: 0, within: 0, reads: Deque::new() }
    }

    /// Bytes from the file's start that have arrived.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Asks for what lies before byte `end`, as far as slots are free. Whole sectors are read.
    pub fn ask(&mut self, disk: &mut Disk, end: u64) {
        let end = end.min(self.size);
        while self.asked < end && !self.reads.is_full() {
            let Some(extent) = self.extents.get(self.extent) else { return };
            let left = (end - self.asked).div_ceil(SECTOR_BYTES);
            let count = (extent.sectors - self.within).min(disk.slot_sectors());
            let count = u64::from(count).min(left) as u32;
            let Some(read) = disk.read(extent.sector + u64::from(self.within), count) else { return };
            let bytes = (u64::from(count) * SECTOR_BYTES).min(self.size - self.asked);
            // The queue is not full: checked above.
            let _ = self.reads.push_back((read, bytes as usize));
            self.advance(count, bytes);
        }
    }

    fn advance(&mut self, count: u32, bytes: u64) {
        self.asked += bytes;
        self.within += count;
        if self.extents.get(self.extent).is_some_and(|extent| self.within >= extent.sectors) {
            self.extent += 1;
            self.within = 0;
        }
    }

    /// Puts the next piece, if it has arrived, where it belongs in `file`, which begins with the file's first byte.
    /// The piece's range is the result.
    pub fn take(
        &mut self,
        disk: &mut Disk,
        file: &mut [u8],
    ) -> Result<Option<core::ops::Range<usize>>, LoadError> {
        let Some((read, bytes)) = self.reads.front().copied() else { return Ok(None) };
        if !disk.is_done(read)? {
            return Ok(None);
        }
        let start = self.arrived as usize;
        let range = start..start + bytes;
        let Some(place) = file.get_mut(range.clone()) else {
            // The caller asks for no more than fits, so this is not reached.
            return Err(LoadError::DiskChanged);
        };
        disk.copy(read, place);
        disk.release(read);
        self.reads.pop_front();
        self.arrived += bytes as u64;
        Ok(Some(range))
    }
}
