//! Storage and its clients: blocks of the client's own partition.
//!
//! Data lies in a region of its own beside the link: `storage_to_<client>_data`, written by the device, for reads;
//! `<client>_to_storage_data` for writes. A request names a byte range of that region; storage checks it against
//! the region's and the partition's size. A client has at most [`MAX_IN_FLIGHT`] requests at a time.
//!
//! A client may have rights to sectors of the FAT partition, or to files in two of its folders, which storage then
//! looks up itself: it opens one folder and one file at a time and reads both from the beginning to the end.

use crate::List;
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Bytes per sector.
pub const SECTOR: usize = 512;
/// Requests that a client may have under way.
pub const MAX_IN_FLIGHT: usize = 8;

/// Most bytes of a path below a [`Folder`], and of a name.
pub const PATH: usize = 160;

/// A path below a [`Folder`], or a name.
pub type Path = List<u8, PATH>;

/// A folder of the FAT partition whose files a client may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Folder {
    /// `/docs`: the user's documents.
    Documents,
    /// `/system`: the embedding model.
    System,
}

/// Which partition a client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Partition {
    /// The FAT partition with `/models` and `/docs`: read only.
    Files,
    /// The data partition.
    Data,
    /// The partition with the supervisor's account of model versions.
    Versions,
}

/// From a client to storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
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
    /// Open a folder, from its first entry on.
    OpenFolder {
        /// Chosen by the client.
        id: u32,
        /// Where the path begins.
        folder: Folder,
        /// Names with `/` between them; empty for the folder itself.
        path: Path,
    },
    /// The next entry of the folder that was opened last: `Entry`, or `Done` with [`Outcome::End`].
    NextEntry {
        /// Chosen by the client.
        id: u32,
    },
    /// Open a file, from its first byte on: `Entry`, or `Done`.
    OpenFile {
        /// Chosen by the client.
        id: u32,
        /// Where the path begins.
        folder: Folder,
        /// Names with `/` between them.
        path: Path,
    },
    /// The next bytes of the file that was opened last, into the read region: `Bytes`, or `Done` with [`Outcome::End`].
    ReadFile {
        /// Chosen by the client.
        id: u32,
        /// Most sectors.
        count: u32,
        /// Byte offset in the read region.
        offset: u32,
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
    /// There is no such folder or file.
    NotFound,
    /// The file system is damaged there.
    Damaged,
    /// Nothing follows.
    End,
}

/// From storage to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToClient {
    /// Answer to `Describe`: sectors of each partition, 0 where there is none; `device` says whether there is a disk.
    Description {
        /// Whether a disk was found.
        device: bool,
        /// Sectors of the FAT partition.
        files: u64,
        /// Sectors of the data partition; 0 for a client that may not use it.
        data: u64,
        /// Sectors of the partition of versions; 0 for a client that may not use it.
        versions: u64,
    },
    /// A request has ended.
    Done {
        /// The client's id.
        id: u32,
        /// How.
        outcome: Outcome,
    },
    /// A file or folder.
    Entry {
        /// The client's id.
        id: u32,
        /// Its name; empty for one that is longer than [`PATH`].
        name: Path,
        /// Whether it is a folder.
        folder: bool,
        /// Bytes.
        size: u32,
    },
    /// So many bytes of the file lie in the read region; whole sectors were written.
    Bytes {
        /// The client's id.
        id: u32,
        /// Bytes.
        count: u32,
    },
}
