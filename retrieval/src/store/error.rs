// SPDX-License-Identifier: MIT
//! The store's errors.
use core::fmt;

use super::device::DeviceError;

/// What went wrong, and so what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The disk failed; see [`DeviceError`].
    Device(DeviceError),
    /// Neither superblock is valid: `Store::format` an empty partition, or `Store::salvage` a damaged one.
    NotAStore,
    /// Written by another version of the store: use that version, or format.
    UnsupportedVersion { found: u32 },
    /// The superblock describes a log that does not fit this partition: it was shrunk, or it is another's.
    WrongGeometry { needed: u64, sectors: u64 },
    /// The partition, or the frame size asked for, is too small to hold a log.
    TooSmall { needed: u64, sectors: u64 },
    /// No room, even after compaction: remove something first. Nothing was written.
    Full { needed: u64, free: u64 },
    /// The batch does not fit one frame: split it. Nothing was written.
    BatchTooLarge { bytes: usize, limit: usize },
    /// As many records as memory was planned for: remove something first. Nothing was written.
    TooManyRecords { limit: usize },
    /// A write or flush failed earlier, so what is on the disk is unknown: open the store again.
    Poisoned,
    /// A record's checksum does not match: the disk changed it. Remove the record, and add it again from its source.
    Corrupt { sector: u64 },
    /// A record exists, but its body is not what its kind says: written by a newer program, or a defect.
    Malformed,
    /// No memory for the store's buffers.
    OutOfMemory,
}

impl From<DeviceError> for StoreError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(DeviceError::Io) => f.write_str("the disk reported an error; open the store again"),
            Self::Device(DeviceError::Gone) => {
                f.write_str("the disk is gone; open the store when it is back")
            }
            Self::Device(DeviceError::OutOfRange) => {
                f.write_str("a transfer lies beyond the partition's end")
            }
            Self::NotAStore => {
                f.write_str("no valid superblock in sectors 0 and 8; format or salvage the partition")
            }
            Self::UnsupportedVersion { found } => {
                write!(f, "store version {found}, but this program knows 1")
            }
            Self::WrongGeometry { needed, sectors } => {
                write!(f, "the store spans {needed} sectors, but the partition has {sectors}")
            }
            Self::TooSmall { needed, sectors } => {
                write!(f, "the partition has {sectors} sectors, a store needs at least {needed}")
            }
            Self::Full { needed, free } => {
                write!(f, "the store is full: {needed} sectors needed, {free} free; remove something first")
            }
            Self::BatchTooLarge { bytes, limit } => {
                write!(f, "a batch of {bytes} bytes exceeds the frame limit of {limit}; split it")
            }
            Self::TooManyRecords { limit } => write!(f, "the store holds its limit of {limit} records"),
            Self::Poisoned => f.write_str("an earlier write failed; open the store again"),
            Self::Corrupt { sector } => write!(f, "the record at sector {sector} fails its checksum"),
            Self::Malformed => f.write_str("a record's body does not fit its kind"),
            Self::OutOfMemory => f.write_str("no memory for the store's buffers"),
        }
    }
}

impl core::error::Error for StoreError {}
