// SPDX-License-Identifier: MIT
//! Files in `/docs` and `/system`, as storage gives them.

use crate::port::{Port, PortError};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use ipc_protocol::storage::{Folder, Outcome, PATH, Path, ToClient, ToStorage};

/// Folders deep that are looked into.
const DEEPEST: usize = 6;

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

/// The files in a folder and the folders in it, at most `limit`; whether there were more.
pub(crate) fn list(port: &mut Port, folder: Folder, limit: usize) -> Result<(Vec<Found>, bool), FileError> {
    let (mut found, mut folders) = (Vec::new(), Vec::from([String::new()]));
    let mut next = 0;
    while let Some(path) = folders.get(next).cloned() {
        next += 1;
        open_folder(port, folder, &path)?;
        while let Some((name, is_folder, size)) = next_entry(port)? {
            if name.is_empty() || name.starts_with('.') {
                continue;
            }
            let path = if path.is_empty() { name } else { alloc::format!("{path}/{name}") };
            if path.len() > PATH || found.len() + folders.len() >= limit {
                return Ok((found, true));
            }
            match is_folder {
                true if path.matches('/').count() < DEEPEST => folders.push(path),
                true => {}
                false => found.push(Found { path, size }),
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((found, false))
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
