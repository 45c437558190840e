// SPDX-License-Identifier: MIT
//! The retriever's store on a host: the data partition of a disk image, filled with collections too large for the device.
//!
//! One design rule: it is the device's store, byte for byte: the same library, vectors and sizes of passages. What a
//! folder brings lies below `host/FOLDER/`, which the device's scan of `/docs` never touches.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use retrieval::chunk::Format;
use retrieval::embed::Embedder;
use retrieval::memory::{Config, Memory, MemoryError};
use retrieval::store::{BlockDevice, DeviceError, Options, SECTOR};

/// Sectors of the store's largest frame, as on the device.
const FRAME_SECTORS: u32 = 64;

/// A part of a file as a disk.
pub struct FileDisk {
    file: File,
    /// Where it begins, in bytes.
    start: u64,
    sectors: u64,
}

impl FileDisk {
    /// The data partition of a disk image, or an image of that partition alone.
    ///
    /// # Errors
    /// A file that is not there or cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        let (start, bytes) = match tools_disk::layout(path) {
            Ok(layout) => (layout.data, layout.data_size),
            Err(_) => (0, file.metadata()?.len()),
        };
        Ok(Self { file, start, sectors: bytes / SECTOR as u64 })
    }

    /// A new image of a partition alone.
    ///
    /// # Errors
    /// A file that is there already, or cannot be made.
    pub fn create(path: &Path, mebibytes: u64) -> Result<Self> {
        ensure!((1..=1 << 20).contains(&mebibytes), "a store has 1 to 1048576 MiB");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = file.with_context(|| format!("making {}", path.display()))?;
        file.set_len(mebibytes << 20)?;
        Ok(Self { file, start: 0, sectors: (mebibytes << 20) / SECTOR as u64 })
    }

    fn at(&mut self, sector: u64, bytes: usize) -> Result<&mut File, DeviceError> {
        if sector + (bytes / SECTOR) as u64 > self.sectors {
            return Err(DeviceError::OutOfRange);
        }
        let place = SeekFrom::Start(self.start + sector * SECTOR as u64);
        self.file.seek(place).map_err(|_| DeviceError::Io)?;
        Ok(&mut self.file)
    }

    fn is_blank(&mut self) -> Result<bool, DeviceError> {
        let mut start = vec![0; 64 * SECTOR];
        self.read(0, &mut start)?;
        Ok(start.iter().all(|byte| *byte == 0))
    }
}

impl BlockDevice for FileDisk {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.at(sector, buffer.len())?.read_exact(buffer).map_err(|_| DeviceError::Io)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), DeviceError> {
        self.at(sector, data.len())?.write_all(data).map_err(|_| DeviceError::Io)
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        self.file.sync_data().map_err(|_| DeviceError::Io)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn config() -> Config {
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos());
    let store =
        Options { store_id: nanoseconds as u64, max_frame_sectors: FRAME_SECTORS, ..Options::default() };
    Config { store, exact: false, ..Config::default() }
}

/// Makes an empty store.
///
/// # Errors
/// A partition that is too small.
pub fn format(disk: FileDisk, embedder: &dyn Embedder) -> Result<Memory<FileDisk>> {
    Ok(Memory::format(disk, config(), embedder)?)
}

/// Opens the store; makes an empty one where the partition is blank, as on a disk that no system has used yet.
///
/// # Errors
/// A partition that holds something else, or a store that cannot be read.
pub fn open(mut disk: FileDisk, embedder: &dyn Embedder) -> Result<Memory<FileDisk>> {
    let blank = disk.is_blank().map_err(|_| anyhow!("it is smaller than a store"))?;
    if blank { format(disk, embedder) } else { Ok(Memory::open(disk, config(), embedder)?) }
}

/// What has become of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was taken in, with so many passages.
    In(usize),
    /// It is there, unchanged.
    Unchanged,
    /// It is no document, for this reason.
    PassedOver(String),
    /// Its file is gone, and so are its passages.
    Removed,
}

/// Takes in all documents of a folder, and removes those of it whose files are gone; `told` hears of each.
///
/// # Errors
/// A folder or file that cannot be read; a full store. What was told before is stored.
pub fn add(
    memory: &mut Memory<FileDisk>,
    folder: &Path,
    embedder: &mut dyn Embedder,
    told: &mut dyn FnMut(&str, &Taken),
) -> Result<()> {
    let whole = folder.canonicalize().with_context(|| format!("reading {}", folder.display()))?;
    let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut paths = Vec::new();
    files(&whole, &mut paths)?;
    let named = |path: &PathBuf| {
        let inner = path.strip_prefix(&whole).unwrap_or(path).to_string_lossy().into_owned();
        format!("host/{name}/{inner}")
    };
    let all: Vec<(String, &PathBuf)> = paths.iter().map(|path| (named(path), path)).collect();
    remove_vanished(memory, &format!("host/{name}/"), &all, told)?;
    for (name, path) in all.iter().filter(|(name, _)| Format::of_path(name).is_some()) {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let taken = match add_one(memory, name, &bytes, embedder) {
            Ok(taken) => taken,
            Err(error @ (MemoryError::Chunk(_) | MemoryError::BadLength { .. })) => {
                Taken::PassedOver(error.to_string())
            }
            Err(error) => return Err(anyhow!("{name}: {error}")),
        };
        told(name, &taken);
    }
    Ok(memory.checkpoint()?)
}

/// All files below a folder, in order of their names.
fn files(folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths.into_iter().filter(|path| !path.is_symlink()) {
        match path.is_dir() {
            true => files(&path, all)?,
            false if path.is_file() => all.push(path),
            false => (),
        }
    }
    Ok(())
}

fn remove_vanished(
    memory: &mut Memory<FileDisk>,
    folder: &str,
    all: &[(String, &PathBuf)],
    told: &mut dyn FnMut(&str, &Taken),
) -> Result<()> {
    let there: BTreeSet<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let gone = |path: &str| path.starts_with(folder) && !there.contains(path);
    let gone: Vec<_> = memory.sources().filter(|source| gone(&source.path)).collect();
    for source in gone {
        memory.remove_source(source.id)?;
        told(&source.path, &Taken::Removed);
    }
    Ok(())
}

fn add_one(
    memory: &mut Memory<FileDisk>,
    name: &str,
    bytes: &[u8],
    embedder: &mut dyn Embedder,
) -> Result<Taken, MemoryError> {
    let Some(mut ingest) = memory.begin(name, bytes, now())? else { return Ok(Taken::Unchanged) };
    loop {
        let progress = memory.step(&mut ingest, embedder)?;
        if progress.finished {
            return Ok(Taken::In(progress.total));
        }
    }
}
