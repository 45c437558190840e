//! Sectors of the files partition in the device's private buffer, for the walk through the file system.

use crate::disk::Disk;
use drivers_block::{BlockDevice, PRIVATE, PRIVATE_BYTES, SECTOR, Transfer};
use drivers_fat::Sectors;

/// Sectors of a line.
const LINE: u64 = 8;
const LINE_BYTES: usize = LINE as usize * SECTOR;
const LINES: usize = PRIVATE_BYTES / LINE_BYTES;

/// Which sectors lie in the private buffer.
pub(crate) struct Cache {
    /// First sectors of the lines.
    lines: [Option<u64>; LINES],
    /// The line that is replaced next.
    next: usize,
    /// The line that arrives in `next`.
    arriving: Option<u64>,
    sector: [u8; SECTOR],
}

impl Cache {
    pub fn new() -> Self {
        Self { lines: [None; LINES], next: 0, arriving: None, sector: [0; SECTOR] }
    }

    /// Where the line with `sector` comes from and goes to, in a partition of `sectors` that begins at `start`.
    pub fn fetch(&mut self, sector: u64, start: u64, sectors: u64) -> Option<Transfer> {
        let first = sector / LINE * LINE;
        let count = sectors.checked_sub(first)?.min(LINE) as u32;
        self.lines[self.next] = None;
        self.arriving = Some(first);
        let offset = (self.next * LINE_BYTES) as u32;
        (count > 0).then_some(Transfer { sector: start + first, count, area: PRIVATE, offset })
    }

    /// What was fetched has arrived, or not.
    pub fn arrived(&mut self, whole: bool) {
        self.lines[self.next] = self.arriving.take().filter(|_| whole);
        self.next = (self.next + 1) % LINES;
    }

    /// The cache over the device that fills it.
    pub fn view<'a, D: BlockDevice>(&'a mut self, disk: &'a Disk<D>) -> View<'a, D> {
        View { cache: self, disk }
    }
}

/// See [`Cache::view`].
pub(crate) struct View<'a, D> {
    cache: &'a mut Cache,
    disk: &'a Disk<D>,
}

impl<D: BlockDevice> Sectors for View<'_, D> {
    fn sector(&mut self, sector: u64) -> Option<&[u8; SECTOR]> {
        let first = sector / LINE * LINE;
        let line = self.cache.lines.iter().position(|line| *line == Some(first))?;
        let at = line * LINE_BYTES + (sector - first) as usize * SECTOR;
        self.disk.copy_private(at, &mut self.cache.sector);
        Some(&self.cache.sector)
    }
}
