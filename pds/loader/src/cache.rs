//! The last few pieces of the volume that the file system looked at.

use crate::disk::Read;
use alloc::vec;
use alloc::vec::Vec;
use drivers_fat::{SECTOR, Sectors};

const LINE_SECTORS: u64 = 8;
const LINE: usize = LINE_SECTORS as usize * SECTOR;
const LINES: usize = 8;

/// [`LINES`] lines of 4 KiB, replaced in turn.
pub(crate) struct Cache {
    /// First sector of each line.
    tags: [Option<u64>; LINES],
    lines: Vec<[u8; LINE]>,
    next: usize,
    fetching: Option<(u64, Read)>,
}

impl Cache {
    pub fn new() -> Self {
        Self { tags: [None; LINES], lines: vec![[0; LINE]; LINES], next: 0, fetching: None }
    }

    pub fn clear(&mut self) {
        self.tags = [None; LINES];
        self.fetching = None;
    }

    /// First sector and number of sectors of the line with `sector`, in a partition of `sectors`.
    pub fn line_of(&self, sector: u64, sectors: u64) -> (u64, u32) {
        let first = sector / LINE_SECTORS * LINE_SECTORS;
        (first, if sector < sectors { sectors.saturating_sub(first).min(LINE_SECTORS) as u32 } else { 0 })
    }

    /// The read under way.
    pub fn fetching(&self) -> Option<Read> {
        self.fetching.map(|(_, read)| read)
    }

    pub fn begin(&mut self, first: u64, read: Read) {
        self.fetching = Some((first, read));
    }

    /// Where the bytes of the read under way go, which ends with that.
    pub fn arrived(&mut self) -> &mut [u8] {
        let line = self.next;
        self.next = (line + 1) % LINES;
        self.tags[line] = self.fetching.take().map(|(first, _)| first);
        &mut self.lines[line]
    }
}

impl Sectors for Cache {
    fn sector(&mut self, sector: u64) -> Option<&[u8; SECTOR]> {
        let first = sector / LINE_SECTORS * LINE_SECTORS;
        let line = self.tags.iter().position(|tag| *tag == Some(first))?;
        self.lines[line][(sector - first) as usize * SECTOR..].first_chunk()
    }
}
