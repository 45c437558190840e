//! What can be wrong with a partition table.

use core::fmt;

/// Why a disk's partitions cannot be used. Whoever owns the disk makes a new image or repairs the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GptError {
    /// The disk is too small for any table.
    DiskTooSmall { sectors: u64 },
    /// The device could not read the table.
    Unreadable,
    /// There is no signature: the disk has another kind of table, or none.
    NoSignature,
    /// The revision is not 1.x.
    UnsupportedRevision { revision: u32 },
    /// The header's size is not 92 to 512 bytes.
    BadHeaderSize { size: u32 },
    /// The header's checksum is wrong.
    HeaderChecksum,
    /// The header says that it lies elsewhere than where it was read.
    Misplaced { sector: u64, says: u64 },
    /// Size or number of the entries are beyond what is allowed.
    BadEntryLayout { size: u32, count: u32 },
    /// The entries lie outside of the disk.
    EntriesOutside { sector: u64 },
    /// The entries' checksum is wrong.
    EntriesChecksum,
    /// A partition is empty, or outside of the range that the header leaves for partitions.
    PartitionOutside { index: u32 },
    /// Two partitions share sectors.
    Overlap { first: u32, second: u32 },
    /// More partitions than this reader takes.
    TooManyPartitions,
}

impl fmt::Display for GptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskTooSmall { sectors } => write!(f, "the disk has only {sectors} sectors"),
            Self::Unreadable => write!(f, "its sectors cannot be read"),
            Self::NoSignature => write!(f, "there is no GUID partition table"),
            Self::UnsupportedRevision { revision } => write!(f, "its revision is {revision:#x}, not 1.x"),
            Self::BadHeaderSize { size } => write!(f, "its header claims {size} bytes"),
            Self::HeaderChecksum => write!(f, "the checksum of its header is wrong"),
            Self::Misplaced { sector, says } => {
                write!(f, "the header at sector {sector} says it is at {says}")
            }
            Self::BadEntryLayout { size, count } => {
                write!(f, "its header claims {count} entries of {size} bytes")
            }
            Self::EntriesOutside { sector } => {
                write!(f, "its entries at sector {sector} lie outside of the disk")
            }
            Self::EntriesChecksum => write!(f, "the checksum of its entries is wrong"),
            Self::PartitionOutside { index } => write!(f, "partition {index} lies outside of the disk"),
            Self::Overlap { first, second } => write!(f, "partitions {first} and {second} overlap"),
            Self::TooManyPartitions => write!(f, "it has more than {} partitions", crate::MAX_PARTITIONS),
        }
    }
}

impl core::error::Error for GptError {}
