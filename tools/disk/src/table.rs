//! The partition table: one partition for people, two for Cloister.
//!
//! One design rule: the layout follows from two sizes alone, so the same sizes give the same bytes.

use crate::DiskError;
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition_types::{OperatingSystem, Type};
use gpt::{GptConfig, GptDisk};
use std::fs::File;
use std::path::Path;
use uuid::Uuid;

/// Bytes per sector.
const SECTOR: u64 = 512;
/// Partitions begin at whole MiB.
pub const MIB: u64 = 1 << 20;

/// Type of Cloister's own data partition.
pub const CLOISTER_DATA: Uuid = Uuid::from_bytes_le(drivers_gpt::CLOISTER_DATA.0);
/// Type of the partition with the account of model versions.
const CLOISTER_VERSIONS: Uuid = Uuid::from_bytes_le(drivers_gpt::CLOISTER_VERSIONS.0);
const DISK_ID: Uuid = Uuid::from_u128(0x5B0C7A52_6E43_4D1F_8A39_C1015732D15C);
const FILES_ID: Uuid = Uuid::from_u128(0x1D2F4E8C_93A0_4B57_B6C4_C1015732F11E);
const DATA_ID: Uuid = Uuid::from_u128(0xE47B61D9_0C58_4F22_A1DB_C1015732DA7A);
const VERSIONS_ID: Uuid = Uuid::from_u128(0x84C9E2F1_5B36_4D08_93E7_C1015732E510);

/// Where the partitions lie, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// First byte of the files partition.
    pub files: u64,
    /// Its size.
    pub files_size: u64,
    /// First byte of the data partition.
    pub data: u64,
    /// Its size.
    pub data_size: u64,
    /// First byte of the partition with the account of model versions.
    pub versions: u64,
    /// Its size; 0: an older disk, which has none.
    pub versions_size: u64,
}

impl Layout {
    /// The layout for these sizes in bytes, each rounded up to whole MiB.
    pub fn new(files_size: u64, data_size: u64) -> Self {
        let files_size = files_size.next_multiple_of(MIB);
        let data_size = data_size.max(1).next_multiple_of(MIB);
        let data = MIB + files_size;
        Self { files: MIB, files_size, data, data_size, versions: data + data_size, versions_size: MIB }
    }

    /// Bytes of the whole disk: its partitions and a MiB for each table.
    pub fn disk_size(&self) -> u64 {
        self.data + self.data_size + self.versions_size + MIB
    }
}

/// Writes the table to an image that has its size already.
///
/// # Errors
/// The image cannot be written.
pub fn write(image: &File, path: &Path, layout: &Layout) -> Result<(), DiskError> {
    let failed = |why: String| DiskError::Host { path: path.into(), error: std::io::Error::other(why) };
    let sectors = u32::try_from(layout.disk_size() / SECTOR - 1).unwrap_or(u32::MAX);
    let mut device = image;
    let mbr = ProtectiveMBR::with_lb_size(sectors);
    mbr.overwrite_lba0(&mut device).map_err(|error| failed(error.to_string()))?;
    let config = GptConfig::new().writable(true).logical_block_size(LogicalBlockSize::Lb512);
    let disk = config.create_from_device(image, Some(DISK_ID));
    let mut disk = disk.map_err(|error| failed(error.to_string()))?;
    let own = |guid| Type { guid, os: OperatingSystem::None };
    let (data, versions) = (own(CLOISTER_DATA), own(CLOISTER_VERSIONS));
    let partitions = [
        (drivers_gpt::FILES_NAME, FILES_ID, gpt::partition_types::BASIC, layout.files, layout.files_size),
        ("Cloister data", DATA_ID, data, layout.data, layout.data_size),
        ("Cloister versions", VERSIONS_ID, versions, layout.versions, layout.versions_size),
    ];
    for (index, (name, id, kind, start, size)) in (1..).zip(partitions) {
        let added = disk.add_partition_at(name, index, start / SECTOR, size / SECTOR, kind, 0);
        added.map_err(|error| failed(error.to_string()))?;
        set_id(&mut disk, index, id).map_err(failed)?;
    }
    disk.write().map_err(|error| failed(error.to_string()))?;
    Ok(())
}

/// The crate gives partitions random ids; ours are fixed.
fn set_id(disk: &mut GptDisk<&File>, index: u32, id: Uuid) -> Result<(), String> {
    let mut partitions = disk.partitions().clone();
    if let Some(partition) = partitions.get_mut(&index) {
        partition.part_guid = id;
    }
    disk.update_partitions(partitions).map_err(|error| error.to_string())
}

/// Reads the table of an image.
///
/// # Errors
/// It has none, or lacks the files or the data partition, or they lie outside the image.
pub fn read(image: &File, path: &Path) -> Result<Layout, DiskError> {
    let strange = |why: String| DiskError::NotADisk { path: path.into(), why };
    let config = GptConfig::new().writable(false).logical_block_size(LogicalBlockSize::Lb512);
    let disk = config.open_from_device(image).map_err(|error| strange(error.to_string()))?;
    let size = image.metadata().map_err(DiskError::host(path))?.len();
    let find = |kind: Uuid, what: &str| {
        let found = disk.partitions().values().find(|partition| partition.part_type_guid.guid == kind);
        let found = found.ok_or_else(|| strange(format!("it has no {what} partition")))?;
        let start = found.first_lba.checked_mul(SECTOR);
        let end = found.last_lba.checked_add(1).and_then(|end| end.checked_mul(SECTOR));
        match (start, end) {
            (Some(start), Some(end)) if start < end && end <= size => Ok((start, end - start)),
            _ => Err(strange(format!("its {what} partition lies outside of it"))),
        }
    };
    let (files, files_size) = find(gpt::partition_types::BASIC.guid, "FAT")?;
    let (data, data_size) = find(CLOISTER_DATA, "Cloister data")?;
    let (versions, versions_size) = find(CLOISTER_VERSIONS, "Cloister versions").unwrap_or((0, 0));
    Ok(Layout { files, files_size, data, data_size, versions, versions_size })
}
