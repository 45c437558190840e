//! Puts right how fatfs 0.3 begins a folder.
//!
//! A folder's first two entries must be "." and ".." in short form, ".." naming cluster 0 below the root (Microsoft, "FAT:
//! General Overview of On-Disk Format", 1.03, page 25). fatfs 0.3 writes a long-name entry before each and names the root's
//! cluster, which fsck.vfat reports as damage. One design rule: only folders that begin in that one way are changed.

use crate::window::Window;
use std::io::{self, Read, Seek, SeekFrom, Write};

const ENTRY: usize = 32;
const LONG_NAME: u8 = 0x0f;
const FOLDER: u8 = 0x10;
const DELETED: u8 = 0xe5;
/// Folders looked at; a damaged file system could name itself for ever.
const MAX_FOLDERS: usize = 65_536;
/// Clusters of one folder.
const MAX_CHAIN: usize = 4096;

/// Mends all folders of a file system.
///
/// # Errors
/// The image cannot be read or written.
pub fn mend(volume: Window) -> io::Result<()> {
    let mut fat = Fat::open(volume)?;
    let root = fat.root;
    let mut waiting = vec![root];
    let mut seen = 0;
    while let Some(folder) = waiting.pop() {
        seen += 1;
        if seen > MAX_FOLDERS {
            return Err(io::Error::other("the folders go in circles"));
        }
        if folder != root {
            fat.mend_folder(folder)?;
        }
        waiting.extend(fat.folders(folder)?);
    }
    Ok(())
}

struct Fat<'a> {
    volume: Window<'a>,
    table: u64,
    data: u64,
    cluster: usize,
    root: u32,
}

impl<'a> Fat<'a> {
    fn open(mut volume: Window<'a>) -> io::Result<Self> {
        let mut boot = [0; 512];
        volume.read_exact(&mut boot)?;
        let short = |at: usize| u64::from(u16::from_le_bytes([boot[at], boot[at + 1]]));
        let long = |at: usize| u32::from_le_bytes([boot[at], boot[at + 1], boot[at + 2], boot[at + 3]]);
        let (sector, table) = (short(11), short(14) * short(11));
        let data = table + u64::from(boot[16]) * u64::from(long(36)) * sector;
        let cluster = usize::from(boot[13]) * sector as usize;
        Ok(Self { volume, table, data, cluster: cluster.max(4 * ENTRY), root: long(44) })
    }

    fn seek_to(&mut self, cluster: u32) -> io::Result<()> {
        let at = self.data + u64::from(cluster.saturating_sub(2)) * self.cluster as u64;
        self.volume.seek(SeekFrom::Start(at)).map(|_| ())
    }

    fn next(&mut self, cluster: u32) -> io::Result<Option<u32>> {
        let mut entry = [0; 4];
        self.volume.seek(SeekFrom::Start(self.table + u64::from(cluster) * 4))?;
        self.volume.read_exact(&mut entry)?;
        let next = u32::from_le_bytes(entry) & 0x0fff_ffff;
        Ok((2..0x0fff_fff7).contains(&next).then_some(next))
    }

    /// First clusters of the folders in a folder.
    fn folders(&mut self, first: u32) -> io::Result<Vec<u32>> {
        let mut found = Vec::new();
        let mut bytes = vec![0; self.cluster];
        let mut cluster = Some(first);
        for _ in 0..MAX_CHAIN {
            let Some(current) = cluster else { break };
            self.seek_to(current)?;
            self.volume.read_exact(&mut bytes)?;
            for entry in bytes.chunks_exact(ENTRY).take_while(|entry| entry[0] != 0) {
                let folder = entry[11] & 0x3f != LONG_NAME && entry[11] & FOLDER != 0;
                if folder && entry[0] != DELETED && entry[0] != b'.' {
                    found.push(u32::from_le_bytes([entry[26], entry[27], entry[20], entry[21]]));
                }
            }
            cluster = self.next(current)?;
        }
        Ok(found)
    }

    fn mend_folder(&mut self, first: u32) -> io::Result<()> {
        let mut start = [0; 4 * ENTRY];
        self.seek_to(first)?;
        self.volume.read_exact(&mut start)?;
        let kind = |slot: usize| (start[slot * ENTRY], start[slot * ENTRY + 11]);
        let long = |slot: usize| kind(slot).1 & 0x3f == LONG_NAME;
        let strange = long(0) && long(2) && kind(1) == (b'.', FOLDER) && kind(3) == (b'.', FOLDER);
        if !strange {
            return Ok(());
        }
        start.copy_within(ENTRY..2 * ENTRY, 0);
        start.copy_within(3 * ENTRY..4 * ENTRY, ENTRY);
        start[2 * ENTRY] = DELETED;
        start[3 * ENTRY] = DELETED;
        let parent = &mut start[ENTRY..2 * ENTRY];
        if u32::from_le_bytes([parent[26], parent[27], parent[20], parent[21]]) == self.root {
            (parent[26], parent[27], parent[20], parent[21]) = (0, 0, 0, 0);
        }
        self.seek_to(first)?;
        self.volume.write_all(&start)
    }
}
