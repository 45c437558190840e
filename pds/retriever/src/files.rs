// SPDX-License-Identifier: MIT
//! Files in `/docs` and `/system`, as storage gives them.

use crate::port::{Port, PortError};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use ipc_protocol::storage::{Folder, Outcome, PATH, Path, ToClient, ToStorage};

/// Folders deep that are looked into.
const DEEPEST: usize = 6;
/// Entries beyond a limit that are named.
const NAMED: usize = 8;

/// Why a file or folder was not read. The messages go on after its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// Storage does not answer.
    Gone,
    /// There is no disk, or no partition for files.
    NoDisk,
    /// It is not there.
    NotFound,
    /// The file system is damaged there.
    Damaged,
    /// The device reported an error.
    Device,
    /// It has more bytes than are read.
    TooLarge {
        /// That many.
        bytes: u32,
        /// Most.
        limit: usize,
    },
    /// It changed while it was read.
    Changed,
}

impl From<PortError> for FileError {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Gone => Self::Gone,
            PortError::Forgotten => Self::Changed,
        }
    }
}

impl From<Outcome> for FileError {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NoDevice => Self::NoDisk,
            Outcome::NotFound => Self::NotFound,
            Outcome::Damaged => Self::Damaged,
            Outcome::End => Self::Changed,
            Outcome::Ok | Outcome::Refused | Outcome::DeviceError | Outcome::Busy => Self::Device,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("cannot be read: storage does not answer"),
            Self::NoDisk => f.write_str("cannot be read: there is no disk with a partition for files"),
            Self::NotFound => f.write_str("is not there"),
            Self::Damaged => f.write_str("cannot be read: the file system is damaged there"),
            Self::Device => f.write_str("cannot be read: the device reports an error"),
            Self::TooLarge { bytes, limit } => write!(f, "has {bytes} bytes; at most {limit} are read"),
            Self::Changed => f.write_str("changed while it was read; try again"),
        }
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the folder.
    pub path: String,
    /// Bytes.
    pub size: u32,
}

/// What lies in a folder and the folders in it.
#[derive(Default)]
pub(crate) struct Listing {
    /// In the order of their paths.
    pub files: Vec<Found>,
    /// What is beyond a limit, with the reason.
    pub passed_over: Vec<String>,
    /// There are more files than were asked for.
    pub more: bool,
}

/// Lists a folder and the folders in it, at most `limit` entries.
pub(crate) fn list(port: &mut Port, folder: Folder, limit: usize) -> Result<Listing, FileError> {
    let (mut listing, mut folders) = (Listing::default(), Vec::from([String::new()]));
    let mut next = 0;
    while let Some(path) = folders.get(next).cloned() {
        next += 1;
        open_folder(port, folder, &path)?;
        while let Some((name, is_folder, size)) = next_entry(port)? {
            if name.starts_with('.') {
                continue;
            }
            if listing.files.len() + folders.len() >= limit {
                listing.more = true;
                return Ok(listing);
            }
            match (below(&path, &name), is_folder) {
                (Err(why), _) => listing.pass_over(why),
                (Ok(path), true) => folders.push(path),
                (Ok(path), false) => listing.files.push(Found { path, size }),
            }
        }
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

impl Listing {
    fn pass_over(&mut self, why: String) {
        if self.passed_over.len() < NAMED {
            self.passed_over.push(why);
        }
    }
}

/// The path of an entry, or why it is passed over. Storage gives no name where it is too long.
fn below(path: &str, name: &str) -> Result<String, String> {
    let whole = if path.is_empty() { name.into() } else { format!("{path}/{name}") };
    if name.is_empty() || whole.len() > PATH {
        let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
        return Err(format!("{folder}… has a path of more than {PATH} bytes"));
    }
    if whole.matches('/').count() > DEEPEST {
        return Err(format!("{whole} lies more than {DEEPEST} folders deep"));
    }
    Ok(whole)
}

fn open_folder(port: &mut Port, folder: Folder, path: &str) -> Result<(), FileError> {
    let path = Path::new(path.as_bytes());
    match port.request(true, |id| ToStorage::OpenFolder { id, folder, path })? {
        ToClient::Done { outcome: Outcome::Ok, .. } => Ok(()),
        ToClient::Done { outcome, .. } => Err(outcome.into()),
        _ => Err(FileError::Gone),
    }
}

fn next_entry(port: &mut Port) -> Result<Option<(String, bool, u32)>, FileError> {
    match port.request(false, |id| ToStorage::NextEntry { id })? {
        ToClient::Entry { name, folder, size, .. } => {
            Ok(Some((String::from_utf8_lossy(name.as_slice()).into_owned(), folder, size)))
        }
        ToClient::Done { outcome: Outcome::End, .. } => Ok(None),
        ToClient::Done { outcome, .. } => Err(outcome.into()),
        _ => Err(FileError::Gone),
    }
}

/// Opens a file; its size.
pub(crate) fn open(port: &mut Port, folder: Folder, path: &str) -> Result<u32, FileError> {
    let path = Path::new(path.as_bytes());
    match port.request(true, |id| ToStorage::OpenFile { id, folder, path })? {
        ToClient::Entry { size, .. } => Ok(size),
        ToClient::Done { outcome, .. } => Err(outcome.into()),
        _ => Err(FileError::Gone),
    }
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read(port: &mut Port, folder: Folder, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
    let bytes = open(port, folder, path)?;
    if bytes as usize > limit {
        return Err(FileError::TooLarge { bytes, limit });
    }
    let mut contents = alloc::vec![0; bytes as usize];
    read_open(port, &mut contents)?;
    Ok(contents)
}

/// Reads the open file, which has as many bytes as `out`.
pub(crate) fn read_open(port: &mut Port, out: &mut [u8]) -> Result<(), FileError> {
    let (mut done, sectors) = (0, port.read_sectors());
    while done < out.len() {
        match port.request(false, |id| ToStorage::ReadFile { id, count: sectors, offset: 0 })? {
            ToClient::Bytes { count, .. } => {
                let part = out[done..].get_mut(..count as usize).filter(|part| !part.is_empty());
                let part = part.ok_or(FileError::Changed)?;
                port.copy_out(part);
                done += part.len();
            }
            ToClient::Done { outcome, .. } => return Err(outcome.into()),
            _ => return Err(FileError::Gone),
        }
    }
    Ok(())
}
