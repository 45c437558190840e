//! Storage and its clients: blocks of the client's own partition.
//!
//! Data lies in a region of its own beside the link: `storage_to_<client>_data`, written by the device, for reads;
//! `<client>_to_storage_data` for writes. A request names a byte range of that region; storage checks it against
//! the region's and the partition's size. A client has at most [`MAX_IN_FLIGHT`] requests at a time.

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Bytes per sector.
pub const SECTOR: usize = 512;
/// Requests that a client may have under way.
pub const MAX_IN_FLIGHT: usize = 8;

/// Which partition a client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Partition {
    /// The FAT partition with `/models` and `/docs`: read only.
    Files,
    /// The data partition.
    Data,
}

/// From a client to storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToStorage {
    /// How large are my partitions?
    Describe,
    /// Read sectors into the read region.
    Read {
        /// Chosen by the client.
        id: u32,
        /// Which partition.
        partition: Partition,
        /// First sector, from the partition's start.
        sector: u64,
        /// Number of sectors.
        count: u32,
        /// Byte offset in the read region.
        offset: u32,
    },
    /// Write sectors from the write region.
    Write {
        /// Chosen by the client.
        id: u32,
        /// Which partition.
        partition: Partition,
        /// First sector, from the partition's start.
        sector: u64,
        /// Number of sectors.
        count: u32,
        /// Byte offset in the write region.
        offset: u32,
    },
    /// Make all completed writes permanent.
    Flush {
        /// Chosen by the client.
        id: u32,
    },
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Outcome {
    /// Done.
    Ok,
    /// Outside the partition or the region, or not allowed for this client.
    Refused,
    /// The device reported an error.
    DeviceError,
    /// There is no device, or not this partition.
    NoDevice,
    /// Too many requests under way.
    Busy,
}

/// From storage to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToClient {
    /// Answer to `Describe`: sectors of each partition, 0 where there is none; `device` says whether there is a disk.
    Description {
        /// Whether a disk was found.
        device: bool,
        /// Sectors of the FAT partition.
        files: u64,
        /// Sectors of the data partition; 0 for a client that may not use it.
        data: u64,
    },
    /// A request has ended.
    Done {
        /// The client's id.
        id: u32,
        /// How.
        outcome: Outcome,
    },
}
