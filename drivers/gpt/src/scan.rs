//! The scan: which sectors are wanted next, and what to make of them.

use crate::entry::Partition;
use crate::header::{CRC, Header};
use crate::{CHUNK, GptError, SECTOR, Table};

/// What a scan does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Feed it these sectors, at most [`CHUNK`].
    Read {
        /// First sector.
        sector: u64,
        /// Number of sectors.
        count: u32,
    },
    /// The partitions.
    Done(&'a Table),
    /// Neither table can be used; the error is that of the primary one.
    Failed(GptError),
}

/// Reading the table of one disk.
#[derive(Clone, Debug)]
pub struct Scan {
    disk: u64,
    /// What is wrong with the primary table, once the backup is read.
    primary: Option<GptError>,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Header,
    Entries(Entries),
    Done(Table),
    Failed(GptError),
}

impl Scan {
    /// Of a disk of `disk` sectors.
    pub fn new(disk: u64) -> Self {
        // Protective MBR, header, one sector of entries; the same again at the end.
        let too_small = disk < 5;
        let phase =
            if too_small { Phase::Failed(GptError::DiskTooSmall { sectors: disk }) } else { Phase::Header };
        Self { disk, primary: None, phase }
    }

    /// What to do next.
    pub fn step(&self) -> Step<'_> {
        match &self.phase {
            Phase::Header => Step::Read { sector: self.header_sector(), count: 1 },
            Phase::Entries(Entries { header, done, .. }) => {
                let left = header.table_bytes().div_ceil(SECTOR as u64) - done;
                Step::Read { sector: header.entries + done, count: left.min(u64::from(CHUNK)) as u32 }
            }
            Phase::Done(table) => Step::Done(table),
            Phase::Failed(error) => Step::Failed(*error),
        }
    }

    fn header_sector(&self) -> u64 {
        if self.primary.is_none() { 1 } else { self.disk - 1 }
    }

    /// Takes the bytes of the sectors that [`Scan::step`] asked for; anything else counts as a bad table.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Err(error) = self.fed(bytes) {
            self.reject(error);
        }
    }

    /// The sectors could not be read: tries the backup.
    pub fn unreadable(&mut self) {
        self.reject(GptError::Unreadable);
    }

    fn reject(&mut self, error: GptError) {
        self.phase = match self.primary {
            None => Phase::Header,
            Some(first) => Phase::Failed(first),
        };
        self.primary.get_or_insert(error);
    }

    fn fed(&mut self, bytes: &[u8]) -> Result<(), GptError> {
        match &mut self.phase {
            Phase::Header => {
                let sector = bytes.first_chunk().ok_or(GptError::NoSignature)?;
                let header = Header::read(sector, self.header_sector(), self.disk)?;
                let table = Table { primary: self.primary, ..Table::default() };
                let checksum = CRC.digest().finalize();
                self.phase = Phase::Entries(Entries { header, done: 0, checksum, table });
            }
            Phase::Entries(entries) => {
                if entries.fed(bytes)? {
                    self.phase = Phase::Done(core::mem::take(&mut entries.table));
                }
            }
            Phase::Done(_) | Phase::Failed(_) => {}
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Entries {
    header: Header,
    /// Sectors that have been read.
    done: u64,
    /// Of those.
    checksum: u32,
    table: Table,
}

impl Entries {
    /// Whether these were the last ones.
    fn fed(&mut self, bytes: &[u8]) -> Result<bool, GptError> {
        let left = self.header.table_bytes() - self.done * SECTOR as u64;
        let wanted = left.min(u64::from(CHUNK) * SECTOR as u64) as usize;
        let bytes = bytes.get(..wanted).ok_or(GptError::EntriesChecksum)?;
        self.checksum = continued(self.checksum, bytes);
        self.take(bytes)?;
        self.done += wanted.div_ceil(SECTOR) as u64;
        let last = left == wanted as u64;
        if last { self.check().map(|()| true) } else { Ok(false) }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), GptError> {
        let size = self.header.entry_size as usize;
        let before = (self.done * SECTOR as u64 / size as u64) as u32;
        for (index, entry) in (before..).zip(bytes.chunks_exact(size)) {
            let Some(entry) = entry.first_chunk() else { continue };
            if let Some(partition) = Partition::read(entry, index, &self.header)? {
                self.table.partitions.push(partition).map_err(|_| GptError::TooManyPartitions)?;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), GptError> {
        if self.checksum != self.header.entries_checksum {
            return Err(GptError::EntriesChecksum);
        }
        for (i, first) in self.table.partitions.iter().enumerate() {
            let clash = self.table.partitions[i + 1..].iter();
            if let Some(second) = clash.into_iter().find(|p| p.first < first.end() && first.first < p.end()) {
                return Err(GptError::Overlap { first: first.index, second: second.index });
            }
        }
        Ok(())
    }
}

/// The checksum of what came before (whose checksum is `checksum`) and `bytes`.
fn continued(checksum: u32, bytes: &[u8]) -> u32 {
    // CRC-32 is reflected in and out and finished by inversion, so its state is the inverted result, bit-reversed
    // as the crate takes it.
    let mut digest = CRC.digest_with_initial((!checksum).reverse_bits());
    digest.update(bytes);
    digest.finalize()
}
