//! Reading GUID partition tables (UEFI specification 2.10, chapter 5).
//!
//! One design rule: nothing on the disk is believed. [`Scan`] says which sectors it wants and is fed their bytes; it
//! checks checksums, counts, sizes and ranges, tries the backup at the disk's end where the primary table is bad,
//! and ends with a [`Table`] whose partitions lie inside the disk and apart from each other, or with a [`GptError`].
//! It does no input or output, so the same code reads a device and an image file.
//!
//! Limits: sectors of 512 bytes; at most [`MAX_PARTITIONS`] partitions in use; tables of at most 128 KiB.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod entry;
mod error;
mod header;
mod scan;
#[cfg(test)]
mod tests;

pub use entry::{Guid, Partition};
pub use error::GptError;
pub use scan::{Scan, Step};

/// Bytes per sector.
pub const SECTOR: usize = 512;
/// Most sectors that a scan asks for at once.
pub const CHUNK: u32 = 8;
/// Most partitions in use.
pub const MAX_PARTITIONS: usize = 16;

/// Type of the partition with people's files: Microsoft basic data, which every system mounts.
pub const BASIC_DATA: Guid = Guid::new("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");
/// Type of Cloister's own data partition; its contents concern nobody else.
pub const CLOISTER_DATA: Guid = Guid::new("6C1A9F5E-30B7-4F0C-9D2E-C1015732DA7A");
/// Type of the partition in which the supervisor keeps account of the versions of signed models.
pub const CLOISTER_VERSIONS: Guid = Guid::new("3F0D52B8-7C1E-4A66-8E5B-C1015732E510");
/// Name of the partition with people's files, where a disk has several of their type.
pub const FILES_NAME: &str = "CLOISTER";

/// The partitions of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// In the order of the table.
    pub partitions: heapless::Vec<Partition, MAX_PARTITIONS>,
    /// What is wrong with the primary table, where this is the backup.
    pub primary: Option<GptError>,
}

impl Table {
    /// The partition with people's files: the one of type basic data that is called [`FILES_NAME`], or the first.
    pub fn files(&self) -> Option<&Partition> {
        let mut candidates = self.partitions.iter().filter(|partition| partition.kind == BASIC_DATA);
        let first = candidates.clone().next();
        candidates.find(|partition| partition.is_called(FILES_NAME)).or(first)
    }

    /// Cloister's data partition.
    pub fn data(&self) -> Option<&Partition> {
        self.of_kind(CLOISTER_DATA)
    }

    /// The partition with the account of model versions.
    pub fn versions(&self) -> Option<&Partition> {
        self.of_kind(CLOISTER_VERSIONS)
    }

    fn of_kind(&self, kind: Guid) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.kind == kind)
    }
}
