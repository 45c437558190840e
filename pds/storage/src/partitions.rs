//! The partitions that clients know, and the check of a range against one of them.

use drivers_gpt::{Partition as Entry, Table};
use ipc_protocol::storage::Partition;

/// First sector and number of sectors on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    first: u64,
    pub sectors: u64,
}

impl Range {
    fn of(entry: &Entry) -> Self {
        Self { first: entry.first, sectors: entry.sectors }
    }

    /// The device's number of `sector` of this partition, if it and the `count` sectors from it on lie inside.
    pub fn place(&self, sector: u64, count: u32) -> Option<u64> {
        let end = sector.checked_add(u64::from(count))?;
        (count > 0 && end <= self.sectors).then(|| self.first + sector)
    }
}

/// What is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Partitions {
    files: Option<Range>,
    data: Option<Range>,
    versions: Option<Range>,
}

impl Partitions {
    pub fn of(table: &Table) -> Self {
        Self {
            files: table.files().map(Range::of),
            data: table.data().map(Range::of),
            versions: table.versions().map(Range::of),
        }
    }

    pub fn get(&self, which: Partition) -> Option<Range> {
        match which {
            Partition::Files => self.files,
            Partition::Data => self.data,
            Partition::Versions => self.versions,
        }
    }

    pub fn sectors(&self, which: Partition) -> u64 {
        self.get(which).map_or(0, |range| range.sectors)
    }
}
