//! Walking a directory.

use crate::entry::{ENTRY, LongName, Raw, Slot, read};
use crate::volume::{Next, Root};
use crate::{Entry, FatError, Kind, SECTOR, Sectors, Stop, Volume, fetch};

const PER_SECTOR: u32 = (SECTOR / ENTRY) as u32;
/// Most entries of a directory: 2 MiB.
const MAX_ENTRIES: u32 = 65_536;

/// A place in a directory.
#[derive(Clone, Debug)]
pub struct Directory {
    at: Place,
    /// Entry within the cluster or fixed root.
    index: u32,
    /// Entries passed.
    passed: u32,
    long: LongName,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Fixed { first: u64, sectors: u32 },
    Cluster(u32),
    End,
}

impl Directory {
    /// The directory that `entry` names.
    ///
    /// # Errors
    /// [`FatError::WrongKind`] for a file.
    pub fn of(volume: &Volume, entry: &Entry) -> Result<Self, FatError> {
        match entry {
            Entry { directory: false, .. } => Err(FatError::WrongKind),
            // The parent of a directory in the root is written as cluster 0.
            Entry { cluster: 0, .. } => Ok(volume.root()),
            Entry { cluster, .. } => Ok(Self::at(Place::Cluster(*cluster))),
        }
    }

    pub(crate) fn root(root: Root) -> Self {
        match root {
            Root::Fixed { first, sectors } => Self::at(Place::Fixed { first, sectors }),
            Root::Chain { cluster } => Self::at(Place::Cluster(cluster)),
        }
    }

    fn at(at: Place) -> Self {
        Self { at, index: 0, passed: 0, long: LongName::new() }
    }

    /// The next file or directory, `.` and `..` included; `None` at the end.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn next<S: Sectors>(&mut self, volume: &Volume, source: &mut S) -> Result<Option<Entry>, Stop> {
        while let Some(sector) = self.sector(volume, source)? {
            let bytes = fetch(source, sector)?;
            let at = (self.index % PER_SECTOR) as usize * ENTRY;
            let raw: Raw = core::array::from_fn(|i| bytes[at + i]);
            self.step()?;
            match read(&raw, &mut self.long, volume.kind() == Kind::Fat32) {
                Slot::Entry(entry) => return Ok(Some(entry)),
                Slot::Skip => {}
                Slot::End => self.at = Place::End,
            }
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<(), FatError> {
        self.index += 1;
        self.passed += 1;
        if self.passed > MAX_ENTRIES { Err(FatError::DirectoryTooLong) } else { Ok(()) }
    }

    /// The sector of the entry that is next; follows the chain where a cluster has ended.
    fn sector<S: Sectors>(&mut self, volume: &Volume, source: &mut S) -> Result<Option<u64>, Stop> {
        if let Place::Cluster(cluster) = self.at
            && self.index / PER_SECTOR >= volume.cluster_sectors()
        {
            self.at = match volume.next(source, cluster)? {
                Next::Cluster(next) => Place::Cluster(next),
                Next::End => Place::End,
            };
            self.index = 0;
        }
        let offset = self.index / PER_SECTOR;
        Ok(match self.at {
            Place::Fixed { first, sectors } => (offset < sectors).then(|| first + u64::from(offset)),
            Place::Cluster(cluster) => Some(volume.sector_of(cluster)? + u64::from(offset)),
            Place::End => None,
        })
    }
}
