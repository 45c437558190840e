//! The boot sector, and what follows from it.

use crate::{Directory, FatError, SECTOR, Sectors, Stop, fetch};

/// Width of a FAT entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 12 bits.
    Fat12,
    /// 16 bits.
    Fat16,
    /// 28 bits of 32.
    Fat32,
}

/// What a cluster's FAT entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Cluster(u32),
    End,
}

/// The layout of a volume, in sectors from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    kind: Kind,
    cluster_sectors: u32,
    fat: u64,
    root: Root,
    data: u64,
    clusters: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Fixed { first: u64, sectors: u32 },
    Chain { cluster: u32 },
}

/// First cluster number.
const FIRST: u32 = 2;

impl Volume {
    /// Reads the boot sector of a volume in a partition of `partition` sectors.
    ///
    /// # Errors
    /// [`Stop`]; also where the numbers do not fit together or into the partition.
    pub fn open<S: Sectors>(source: &mut S, partition: u64) -> Result<Self, Stop> {
        let boot = BootSector(fetch(source, 0)?);
        boot.check_kind()?;
        Ok(boot.layout(partition)?)
    }

    /// Which FAT it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes of a cluster.
    pub fn cluster_bytes(&self) -> u64 {
        u64::from(self.cluster_sectors) * SECTOR as u64
    }

    /// Sectors of a cluster.
    pub fn cluster_sectors(&self) -> u32 {
        self.cluster_sectors
    }

    /// The root directory.
    pub fn root(&self) -> Directory {
        Directory::root(self.root)
    }

    /// First sector of a cluster.
    pub(crate) fn sector_of(&self, cluster: u32) -> Result<u64, FatError> {
        let index = self.index(cluster)?;
        Ok(self.data + u64::from(index) * u64::from(self.cluster_sectors))
    }

    fn index(&self, cluster: u32) -> Result<u32, FatError> {
        let index = cluster.checked_sub(FIRST).filter(|index| *index < self.clusters);
        index.ok_or(FatError::BadCluster { cluster })
    }

    /// What follows `cluster` in its chain.
    pub(crate) fn next<S: Sectors>(&self, source: &mut S, cluster: u32) -> Result<Next, Stop> {
        self.index(cluster)?;
        let (value, end) = match self.kind {
            Kind::Fat12 => (self.fat12_entry(source, cluster)?, 0xff8),
            Kind::Fat16 => (u32::from(self.fat_u16(source, u64::from(cluster) * 2)?), 0xfff8),
            Kind::Fat32 => (self.fat32_entry(source, cluster)?, 0x0fff_fff8),
        };
        match value {
            value if value >= end => Ok(Next::End),
            value => Ok(self.index(value).map(|_| Next::Cluster(value))?),
        }
    }

    fn fat_byte<S: Sectors>(&self, source: &mut S, at: u64) -> Result<u8, Stop> {
        let sector = fetch(source, self.fat + at / SECTOR as u64)?;
        Ok(sector[(at % SECTOR as u64) as usize])
    }

    fn fat_u16<S: Sectors>(&self, source: &mut S, at: u64) -> Result<u16, Stop> {
        Ok(u16::from_le_bytes([self.fat_byte(source, at)?, self.fat_byte(source, at + 1)?]))
    }

    fn fat12_entry<S: Sectors>(&self, source: &mut S, cluster: u32) -> Result<u32, Stop> {
        let pair = self.fat_u16(source, u64::from(cluster) * 3 / 2)?;
        Ok(u32::from(if cluster.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 }))
    }

    fn fat32_entry<S: Sectors>(&self, source: &mut S, cluster: u32) -> Result<u32, Stop> {
        let at = u64::from(cluster) * 4;
        let sector = fetch(source, self.fat + at / SECTOR as u64)?;
        let at = (at % SECTOR as u64) as usize;
        Ok(u32::from_le_bytes(core::array::from_fn(|i| sector[at + i])) & 0x0fff_ffff)
    }
}

struct BootSector<'a>(&'a [u8; SECTOR]);

impl BootSector<'_> {
    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(core::array::from_fn(|i| self.0[at + i]))
    }

    fn check_kind(&self) -> Result<(), FatError> {
        for (magic, name) in [(b"EXFAT   ", "exFAT"), (b"NTFS    ", "NTFS")] {
            if self.0[3..11] == magic[..] {
                return Err(FatError::OtherFileSystem(name));
            }
        }
        let jump = matches!(self.0[0], 0xeb | 0xe9);
        if self.0[510..] != [0x55, 0xaa] || !jump {
            return Err(FatError::NotFat);
        }
        match self.u16(11) {
            512 => Ok(()),
            size if size.is_power_of_two() && (1024..=4096).contains(&size) => {
                Err(FatError::SectorSize(size))
            }
            _ => Err(FatError::NotFat),
        }
    }

    fn layout(&self, partition: u64) -> Result<Volume, FatError> {
        let bad = |what| Err(FatError::BadBootSector(what));
        let (cluster_sectors, reserved, fats) = (u32::from(self.0[13]), self.u16(14), self.0[16]);
        if !cluster_sectors.is_power_of_two() {
            return bad("sectors per cluster");
        }
        if reserved == 0 {
            return bad("reserved sectors");
        }
        if fats == 0 || fats > 2 {
            return bad("number of FATs");
        }
        let sectors = either(self.u16(19), self.u32(32));
        let fat_sectors = either(self.u16(22), self.u32(36));
        let root_sectors = (u32::from(self.u16(17)) * 32).div_ceil(SECTOR as u32);
        if u64::from(sectors) > partition {
            return Err(FatError::LargerThanPartition { volume: sectors.into(), partition });
        }
        let fat = u64::from(reserved);
        let root = fat + u64::from(fats) * u64::from(fat_sectors);
        let data = root + u64::from(root_sectors);
        let clusters = u64::from(sectors).saturating_sub(data) / u64::from(cluster_sectors);
        let kind = self.kind(clusters);
        if fat_sectors == 0 || clusters == 0 || clusters >= 0x0fff_fff5 {
            return bad("number of sectors");
        }
        let clusters = clusters.min(entries(kind, fat_sectors).saturating_sub(u64::from(FIRST))) as u32;
        let root = self.root(kind, root, root_sectors)?;
        Ok(Volume { kind, cluster_sectors, fat, root, data, clusters })
    }

    /// As Linux does: a FAT32 volume has no 16-bit FAT size, however few clusters it has.
    fn kind(&self, clusters: u64) -> Kind {
        match clusters {
            _ if self.u16(22) == 0 => Kind::Fat32,
            0..4085 => Kind::Fat12,
            _ => Kind::Fat16,
        }
    }

    fn root(&self, kind: Kind, first: u64, sectors: u32) -> Result<Root, FatError> {
        match (kind, sectors) {
            (Kind::Fat32, 0) => Ok(Root::Chain { cluster: self.u32(44) }),
            (Kind::Fat12 | Kind::Fat16, 1..) => Ok(Root::Fixed { first, sectors }),
            _ => Err(FatError::BadBootSector("root directory")),
        }
    }
}

fn either(short: u16, long: u32) -> u32 {
    if short != 0 { u32::from(short) } else { long }
}

/// Entries that a FAT of so many sectors has room for.
fn entries(kind: Kind, fat_sectors: u32) -> u64 {
    let bytes = u64::from(fat_sectors) * SECTOR as u64;
    match kind {
        Kind::Fat12 => bytes * 2 / 3,
        Kind::Fat16 => bytes / 2,
        Kind::Fat32 => bytes / 4,
    }
}
