//! Cloister's disk image: a FAT32 partition that people mount, and two of Cloister's own: data, and the account of the
//! versions of signed models.
//!
//! One design rule: Cloister's own partitions are never touched once they exist. Files are added in place; where they no longer
//! fit, a larger image takes over everything and replaces the old one in one step.
//! The same files and sizes give the same bytes. Images are sparse: what was never written takes no room.
//! Limits: sectors of 512 bytes, files below 4 GiB.
#![forbid(unsafe_code)]

mod dots;
mod error;
mod files;
mod table;
mod window;

pub use error::DiskError;
pub use files::{Change, Entry, Progress};
pub use table::{CLOISTER_DATA, Layout};

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How large the partitions of a new image are, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Least size of the partition with people's files; it becomes larger where its files need it. Below 40 MiB there is
    /// no FAT32.
    pub files: u64,
    /// Size of Cloister's data partition.
    pub data: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { files: 320 << 20, data: 32 << 20 }
    }
}

/// Folder of the models.
pub const MODELS: &str = "models";
/// Folder of the documents.
pub const DOCUMENTS: &str = "docs";
/// Folder of the embedding model.
pub const SYSTEM: &str = "system";

/// A file to put on the disk.
#[derive(Clone, Debug)]
pub struct Addition {
    /// File on the host.
    pub source: PathBuf,
    /// [`MODELS`], [`DOCUMENTS`], [`SYSTEM`] or another folder below the root, or below one of them.
    pub folder: String,
}

impl Addition {
    /// A model for `/models`.
    pub fn model(source: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), folder: MODELS.into() }
    }

    /// A document for `/docs`.
    pub fn document(source: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), folder: DOCUMENTS.into() }
    }

    fn name(&self) -> Result<String, DiskError> {
        let name = self.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files::check(&name, self.size()?)?;
        Ok(name)
    }

    fn size(&self) -> Result<u64, DiskError> {
        let metadata = fs::metadata(&self.source).map_err(DiskError::host(&self.source))?;
        if metadata.is_file() {
            return Ok(metadata.len());
        }
        let error = std::io::Error::other("is not a file; name a file");
        Err(DiskError::Host { path: self.source.clone(), error })
    }
}

/// Makes the image where there is none, and puts the files on it.
///
/// # Errors
/// See [`DiskError`]; an image that exists is left as it was, unless writing itself failed.
pub fn prepare(image: &Path, additions: &[Addition], progress: Progress) -> Result<(), DiskError> {
    if !image.exists() {
        return create(image, Sizes::default(), additions, progress);
    }
    let layout = open(image)?.1;
    if layout.versions_size == 0 {
        move_to(image, layout.files_size)?;
    }
    additions.iter().try_for_each(|addition| add(image, addition, progress).map(|_| ()))
}

/// Makes an image with these files; one that exists is replaced.
///
/// # Errors
/// See [`DiskError`]; then there is no image.
pub fn create(
    image: &Path,
    sizes: Sizes,
    additions: &[Addition],
    progress: Progress,
) -> Result<(), DiskError> {
    let mut size = 0;
    for addition in additions {
        addition.name()?;
        size += addition.size()?;
    }
    let layout = Layout::new(files::partition_size(size, sizes.files), sizes.data);
    replace(image, &layout, |file| {
        let fat = files::open(file, &layout)?;
        for addition in additions {
            files::put(&fat, &addition.folder, &addition.source, &addition.name()?, progress)?;
        }
        files::finish(fat, file, &layout)
    })
}

/// Puts a model into `/models` of an image.
///
/// # Errors
/// See [`DiskError`].
pub fn add_model(image: &Path, model: &Path, progress: Progress) -> Result<Change, DiskError> {
    add(image, &Addition::model(model), progress)
}

/// Puts a file on an image, in place where there is room.
///
/// # Errors
/// See [`DiskError`].
pub fn add(image: &Path, addition: &Addition, progress: Progress) -> Result<Change, DiskError> {
    let (name, size) = (addition.name()?, addition.size()?);
    let (file, layout) = open(image)?;
    let fat = files::open(&file, &layout)?;
    if !files::has_room(&fat, &addition.folder, &name, size)? {
        drop(fat);
        let used: u64 = list(image)?.iter().map(|entry| entry.size).sum();
        grow(image, files::partition_size(used + size, Sizes::default().files))?;
        return add(image, addition, progress);
    }
    let change = files::put(&fat, &addition.folder, &addition.source, &name, progress)?;
    files::finish(fat, &file, &layout)?;
    Ok(change)
}

/// Whether the image has a file of this name with other contents.
///
/// # Errors
/// See [`DiskError`].
pub fn differs(image: &Path, addition: &Addition) -> Result<bool, DiskError> {
    let name = addition.name()?;
    let (file, layout) = open(image)?;
    let fat = files::open(&file, &layout)?;
    Ok(files::compared(&fat, &addition.folder, &addition.source, &name)? == Some(false))
}

/// All files of an image.
///
/// # Errors
/// See [`DiskError`].
pub fn list(image: &Path) -> Result<Vec<Entry>, DiskError> {
    let (file, layout) = open(image)?;
    files::list(&files::open(&file, &layout)?)
}

/// Where the partitions of an image lie.
///
/// # Errors
/// See [`DiskError`].
pub fn layout(image: &Path) -> Result<Layout, DiskError> {
    Ok(open(image)?.1)
}

/// Erases the account of the versions of signed models: then older versions are taken again.
///
/// # Errors
/// See [`DiskError`].
pub fn forget_versions(image: &Path) -> Result<(), DiskError> {
    let (mut file, layout) = open(image)?;
    let mut erase = || {
        file.seek(SeekFrom::Start(layout.versions))?;
        file.write_all(&vec![0; layout.versions_size as usize])
    };
    erase().map_err(DiskError::host(image))
}

fn open(image: &Path) -> Result<(File, Layout), DiskError> {
    let file = OpenOptions::new().read(true).write(true).open(image).map_err(DiskError::host(image))?;
    let layout = table::read(&file, image)?;
    Ok((file, layout))
}

/// Moves everything to a larger image.
fn grow(image: &Path, files_size: u64) -> Result<(), DiskError> {
    let from = open(image)?.1;
    move_to(image, files_size.max(from.files_size + from.files_size / 4))
}

/// Moves everything to an image with a files partition of this size.
fn move_to(image: &Path, files_size: u64) -> Result<(), DiskError> {
    let (old, from) = open(image)?;
    let to = Layout::new(files_size, from.data_size);
    replace(image, &to, |new| {
        let (source, target) = (files::open(&old, &from)?, files::open(new, &to)?);
        files::copy_all(&source, &target)?;
        files::finish(target, new, &to)?;
        let own = [(from.data, to.data, from.data_size), (from.versions, to.versions, from.versions_size)];
        let copy = |(at, target, size)| copy_sparse(&old, at, new, target, size);
        own.into_iter().try_for_each(copy).map_err(DiskError::host(image))
    })
}

/// Writes an image beside the final one, fills it and moves it into place.
fn replace(
    image: &Path,
    layout: &Layout,
    fill: impl FnOnce(&File) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let mut partial = image.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(true);
        let file = options.open(&partial).map_err(DiskError::host(&partial))?;
        file.set_len(layout.disk_size()).map_err(DiskError::host(&partial))?;
        table::write(&file, &partial, layout)?;
        files::format(&file, layout)?;
        fill(&file)
    };
    let written = write();
    if written.is_err() {
        // The error that is reported is the first one; a leftover is overwritten next time.
        let _ = fs::remove_file(&partial);
        return written;
    }
    fs::rename(&partial, image).map_err(DiskError::host(image))
}

/// Copies bytes, leaving holes for blocks of zeros.
fn copy_sparse(from: &File, at: u64, to: &File, target: u64, len: u64) -> std::io::Result<()> {
    let (mut from, mut to) = (from, to);
    let mut buffer = vec![0; 64 << 10];
    let mut done = 0;
    while done < len {
        let part = (len - done).min(buffer.len() as u64) as usize;
        from.seek(SeekFrom::Start(at + done))?;
        from.read_exact(&mut buffer[..part])?;
        if buffer[..part].iter().any(|byte| *byte != 0) {
            to.seek(SeekFrom::Start(target + done))?;
            to.write_all(&buffer[..part])?;
        }
        done += part as u64;
    }
    Ok(())
}
