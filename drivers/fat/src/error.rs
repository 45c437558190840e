//! What can be wrong with a volume.

use core::fmt;

/// Why a volume or file cannot be read. The messages go on after "the partition" or the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FatError {
    /// There is no FAT boot sector.
    NotFat,
    /// It is another file system, by this name: format it as FAT32.
    OtherFileSystem(&'static str),
    /// Sectors are not of 512 bytes.
    SectorSize(u16),
    /// A number in the boot sector is impossible; the text names it.
    BadBootSector(&'static str),
    /// The volume claims more sectors than the partition has.
    LargerThanPartition { volume: u64, partition: u64 },
    /// A chain leads to a cluster that does not exist.
    BadCluster { cluster: u32 },
    /// A file's chain ends before the file does.
    ChainTooShort { clusters: u32, expected: u32 },
    /// A file's chain goes on behind the file's end, or in circles.
    ChainTooLong { expected: u32 },
    /// A directory is larger than any may be: its chain goes in circles.
    DirectoryTooLong,
    /// It is a directory where a file is needed, or the other way round.
    WrongKind,
}

impl fmt::Display for FatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFat => write!(f, "has no FAT file system: format it as FAT32"),
            Self::OtherFileSystem(name) => write!(f, "is formatted as {name}: format it as FAT32"),
            Self::SectorSize(size) => write!(f, "has sectors of {size} bytes, not 512: format it anew"),
            Self::BadBootSector(what) => {
                write!(f, "has a damaged FAT boot sector ({what}): repair or format it")
            }
            Self::LargerThanPartition { volume, partition } => {
                write!(f, "has {partition} sectors but its file system claims {volume}: format it anew")
            }
            Self::BadCluster { cluster } => {
                write!(f, "is damaged: a chain leads to cluster {cluster}, which does not exist")
            }
            Self::ChainTooShort { clusters, expected } => {
                write!(f, "is damaged: its chain has {clusters} clusters instead of {expected}")
            }
            Self::ChainTooLong { expected } => {
                write!(f, "is damaged: its chain does not end after {expected} clusters")
            }
            Self::DirectoryTooLong => write!(f, "is damaged: a directory has no end"),
            Self::WrongKind => write!(f, "is damaged: a file stands where a directory should be"),
        }
    }
}

impl core::error::Error for FatError {}
