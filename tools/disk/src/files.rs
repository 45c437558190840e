//! The FAT32 partition that people mount: models, documents, a note.
//!
//! One design rule: a file that is there already with the same contents is not written again. Times are those of FAT's
//! first day, so equal contents give equal bytes.
//! Limits: files below 4 GiB, folders 16 deep, 65,536 entries per folder.

use crate::DiskError;
use crate::dots;
use crate::table::Layout;
use crate::window::Window;
use fatfs::{Date, DateTime, Dir, FatType, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

const README: &str = include_str!("readme.txt");
const VOLUME_ID: u32 = 0xC101_5732;
const MAX_FILE: u64 = u32::MAX as u64;
const MAX_DEPTH: usize = 16;
const MAX_ENTRIES: usize = 65_536;
/// A FAT with fewer clusters is not FAT32; some are kept as a margin for the tables.
const MIN_CLUSTERS: u64 = 66_000;
/// What a partition that follows its files has beside them for later additions, and a twentieth.
const ROOM: u64 = 64 << 20;
const MIN_SIZE: u64 = 40 << 20;
/// A FAT32 partition in sectors of 512 bytes is smaller than 2 TiB.
const MAX_SIZE: u64 = 1 << 40;
const CHUNK: usize = 1 << 20;

/// Says how far a long copy is: bytes done and bytes in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// A FAT file system inside an image.
pub type Fat<'a> = FileSystem<Window<'a>>;

/// What became of a file that was to be put on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there with the same contents.
    Unchanged,
    /// It was written.
    Written,
}

/// Size of the files partition for files of these bytes in all: `least`, or what they need with room for more.
pub fn partition_size(files: u64, least: u64) -> u64 {
    let needed = files.saturating_add(files / 20).saturating_add(if files > least / 2 { ROOM } else { 0 });
    needed.max(least).clamp(MIN_SIZE, MAX_SIZE).next_multiple_of(1 << 20)
}

/// The largest cluster (few look-ups for long files) that still makes the partition FAT32.
fn cluster_size(partition: u64) -> u32 {
    let fits = |cluster: &u32| partition / u64::from(*cluster) >= MIN_CLUSTERS;
    [32_768, 16_384, 8192, 4096, 2048, 1024].into_iter().find(fits).unwrap_or(512)
}

/// Makes the file system with its folders and the note.
///
/// # Errors
/// The image cannot be written.
pub fn format(image: &File, layout: &Layout) -> Result<(), DiskError> {
    let sectors = u32::try_from(layout.files_size / 512).unwrap_or(u32::MAX);
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .bytes_per_cluster(cluster_size(layout.files_size))
        .total_sectors(sectors)
        .volume_id(VOLUME_ID)
        .volume_label(*b"CLOISTER   ");
    let window = Window::new(image, layout.files, layout.files_size);
    fatfs::format_volume(window, options).map_err(DiskError::damaged("format"))?;
    let fat = open(image, layout)?;
    let made = || -> io::Result<()> {
        let root = fat.root_dir();
        root.create_dir("models")?;
        root.create_dir("docs")?;
        root.create_file("README.TXT")?.write_all(README.replace('\n', "\r\n").as_bytes())
    };
    made().map_err(DiskError::damaged("folders"))?;
    finish(fat, image, layout)
}

/// Writes everything that is pending, with the number of free clusters.
///
/// # Errors
/// The image cannot be written.
pub fn finish(fat: Fat, image: &File, layout: &Layout) -> Result<(), DiskError> {
    fat.stats().and_then(|_| fat.unmount()).map_err(DiskError::damaged("unmount"))?;
    dots::mend(Window::new(image, layout.files, layout.files_size)).map_err(DiskError::damaged("folders"))
}

/// The same time for every file, so that equal contents give equal bytes.
#[derive(Debug)]
struct FirstDay;

impl TimeProvider for FirstDay {
    fn get_current_date(&self) -> Date {
        Date { year: 1980, month: 1, day: 1 }
    }

    fn get_current_date_time(&self) -> DateTime {
        DateTime { date: self.get_current_date(), time: Time { hour: 0, min: 0, sec: 0, millis: 0 } }
    }
}

/// Opens the file system.
///
/// # Errors
/// It is damaged.
pub fn open<'a>(image: &'a File, layout: &Layout) -> Result<Fat<'a>, DiskError> {
    let window = Window::new(image, layout.files, layout.files_size);
    FileSystem::new(window, FsOptions::new().time_provider(&FirstDay)).map_err(DiskError::damaged("mount"))
}

/// Checks that FAT can hold a file of this name and size.
///
/// # Errors
/// [`DiskError::Name`] or [`DiskError::TooLarge`].
pub fn check(name: &str, size: u64) -> Result<(), DiskError> {
    let why = if name.is_empty() || name.encode_utf16().count() > 255 {
        "it must have 1 to 255 characters"
    } else if name.chars().any(|c| c.is_control() || "\"*/:<>?\\|".contains(c)) {
        "it has a control character or one of \"*/:<>?\\|"
    } else if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        "it begins or ends with a space or ends with a dot"
    } else if size > MAX_FILE {
        return Err(DiskError::TooLarge { name: name.into(), size });
    } else {
        return Ok(());
    };
    Err(DiskError::Name { name: name.into(), why })
}

/// Whether the file system has room for a file of `size` bytes beside (or, of the same name, instead of) what is there.
///
/// # Errors
/// It is damaged.
pub fn has_room(fat: &Fat, folder: &str, name: &str, size: u64) -> Result<bool, DiskError> {
    let stats = fat.stats().map_err(DiskError::damaged("free space"))?;
    let cluster = u64::from(stats.cluster_size());
    let replaced = existing(fat, folder, name)?.unwrap_or(0).div_ceil(cluster);
    // Two clusters for the folder's own growth.
    Ok(size.div_ceil(cluster) + 2 <= u64::from(stats.free_clusters()) + replaced)
}

/// A folder, made where it is missing, with those above it.
fn open_folder<'f, 'w>(fat: &'f Fat<'w>, path: &str) -> io::Result<Dir<'f, Window<'w>>> {
    path.split('/').try_fold(fat.root_dir(), |folder, name| folder.create_dir(name))
}

fn existing(fat: &Fat, folder: &str, name: &str) -> Result<Option<u64>, DiskError> {
    let found = || -> io::Result<Option<u64>> {
        for entry in open_folder(fat, folder)?.iter().take(MAX_ENTRIES) {
            let entry = entry?;
            if entry.is_file() && entry.file_name().eq_ignore_ascii_case(name) {
                return Ok(Some(entry.len()));
            }
        }
        Ok(None)
    };
    found().map_err(DiskError::damaged(format!("folder {folder}")))
}

/// Puts a file into a folder, replacing one of the same name.
///
/// # Errors
/// The source cannot be read, or the file system is damaged or full.
pub fn put(
    fat: &Fat,
    folder: &str,
    source: &Path,
    name: &str,
    progress: Progress,
) -> Result<Change, DiskError> {
    let size = std::fs::metadata(source).map_err(DiskError::host(source))?.len();
    check(name, size)?;
    if compared(fat, folder, source, name)? == Some(true) {
        return Ok(Change::Unchanged);
    }
    let failed = || format!("writing {folder}/{name}");
    let folder = open_folder(fat, folder).map_err(DiskError::damaged(failed()))?;
    if folder.open_file(name).is_ok() {
        folder.remove(name).map_err(DiskError::damaged(failed()))?;
    }
    let mut to = folder.create_file(name).map_err(DiskError::damaged(failed()))?;
    let mut write = |bytes: &[u8]| to.write_all(bytes).map_err(DiskError::damaged(failed()));
    chunks(source, size, &mut write, progress)?;
    to.flush().map_err(DiskError::damaged(failed()))?;
    Ok(Change::Written)
}

/// Reads a file of the host piece by piece.
fn chunks(
    source: &Path,
    size: u64,
    write: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
    progress: Progress,
) -> Result<(), DiskError> {
    let mut from = File::open(source).map_err(DiskError::host(source))?;
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let read = from.read(&mut buffer).map_err(DiskError::host(source))?;
        if read == 0 {
            return Ok(());
        }
        write(&buffer[..read])?;
        done += read as u64;
        progress(done, size);
    }
}

/// Whether a folder's file of this name has the contents of the source; `None` where there is no such file.
///
/// # Errors
/// The source cannot be read, or the file system is damaged.
pub fn compared(fat: &Fat, folder: &str, source: &Path, name: &str) -> Result<Option<bool>, DiskError> {
    let size = std::fs::metadata(source).map_err(DiskError::host(source))?.len();
    let Some(there) = existing(fat, folder, name)? else { return Ok(None) };
    Ok(Some(there == size && same(fat, folder, name, source)?))
}

fn same(fat: &Fat, folder: &str, name: &str, source: &Path) -> Result<bool, DiskError> {
    let what = || format!("reading {folder}/{name}");
    let path = format!("{folder}/{name}");
    let mut there = fat.root_dir().open_file(&path).map_err(DiskError::damaged(what()))?;
    let mut here = File::open(source).map_err(DiskError::host(source))?;
    let (mut left, mut right) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let read = here.read(&mut left).map_err(DiskError::host(source))?;
        if read == 0 {
            return Ok(true);
        }
        if there.read_exact(&mut right[..read]).is_err() || left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

/// A file on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Folder and name.
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// All files, folder by folder.
///
/// # Errors
/// It is damaged.
pub fn list(fat: &Fat) -> Result<Vec<Entry>, DiskError> {
    let mut all = Vec::new();
    walk(&fat.root_dir(), "", 0, &mut |path, entry| {
        if entry.is_file() {
            all.push(Entry { path: path.into(), size: entry.len() });
        }
        Ok(())
    })
    .map_err(DiskError::damaged("listing"))?;
    Ok(all)
}

/// Copies everything from one file system to another.
///
/// # Errors
/// One of them is damaged.
pub fn copy_all(from: &Fat, to: &Fat) -> Result<(), DiskError> {
    let root = to.root_dir();
    let mut copy = |path: &str, entry: &fatfs::DirEntry<Window>| -> io::Result<()> {
        if entry.is_dir() {
            return root.create_dir(path).map(|_| ());
        }
        let mut target = root.create_file(path)?;
        target.truncate()?;
        io::copy(&mut entry.to_file(), &mut target)?;
        target.flush()
    };
    walk(&from.root_dir(), "", 0, &mut copy).map_err(DiskError::damaged("copying"))
}

type Visit<'v, 'w> = &'v mut dyn FnMut(&str, &fatfs::DirEntry<'_, Window<'w>>) -> io::Result<()>;

fn walk<'w>(folder: &Dir<'_, Window<'w>>, path: &str, depth: usize, visit: Visit<'_, 'w>) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("folders are more than 16 deep"));
    }
    for (count, entry) in folder.iter().enumerate() {
        let entry = entry?;
        if count >= MAX_ENTRIES {
            return Err(io::Error::other("a folder has more than 65,536 entries"));
        }
        let name = entry.file_name();
        if name == "." || name == ".." {
            continue;
        }
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        visit(&path, &entry)?;
        if entry.is_dir() {
            walk(&entry.to_dir(), &path, depth + 1, visit)?;
        }
    }
    Ok(())
}
