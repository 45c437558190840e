//! What can go wrong with a disk image, and what the person who asked can do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a disk image was not made or changed.
#[derive(Debug)]
pub enum DiskError {
    /// A file on the host cannot be read or written: mend the path or free some space.
    Host {
        /// The file.
        path: PathBuf,
        /// What the host said.
        error: io::Error,
    },
    /// The image is something else: move it away or name another.
    NotADisk {
        /// The image.
        path: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// The FAT file system in the image is damaged: repair it (`fsck.vfat`) or delete the image.
    Damaged {
        /// What failed.
        what: String,
        /// How.
        error: io::Error,
    },
    /// FAT cannot have a file of this name: rename it.
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// FAT32 holds files of up to 4 GiB − 1: use a smaller quantisation.
    TooLarge {
        /// The file.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
}

impl DiskError {
    pub(crate) fn host(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Host { path: path.into(), error }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Damaged { what, error }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NotADisk { path, why } => {
                let path = path.display();
                write!(f, "{path}: is not a Cloister disk ({why}); move it away or name another file")
            }
            Self::Damaged { what, error } => {
                write!(
                    f,
                    "the disk's file system: {what}: {error}; repair it with fsck.vfat or delete the image"
                )
            }
            Self::Name { name, why } => {
                write!(f, "'{name}' cannot be a file name on the disk: {why}; rename it")
            }
            Self::TooLarge { name, size } => {
                write!(
                    f,
                    "'{name}' has {size} bytes; FAT32 holds files below 4 GiB: use a smaller quantisation"
                )
            }
        }
    }
}

impl std::error::Error for DiskError {}
