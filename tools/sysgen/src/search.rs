//! Finds files named in a description along the search path.
//!
//! One design rule: the first folder that has the file wins, and an error lists where was looked.
//! Limit: files up to 8 GiB.

use std::fs;
use std::path::{Path, PathBuf};

const MAX_FILE: u64 = 8 << 30;

/// Folders to look in, in order.
#[derive(Clone, Debug, Default)]
pub struct SearchPath(pub Vec<PathBuf>);

impl SearchPath {
    /// The file's whole path.
    ///
    /// # Errors
    /// A message that names the folders looked in.
    pub fn find(&self, name: &str) -> Result<PathBuf, String> {
        if Path::new(name).is_absolute() && Path::new(name).is_file() {
            return Ok(name.into());
        }
        let found = self.0.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        found.ok_or_else(|| {
            let folders: Vec<_> = self.0.iter().map(|folder| folder.display().to_string()).collect();
            let folders = if folders.is_empty() { "no folder".into() } else { folders.join(", ") };
            format!("file '{name}' was not found in {folders}; build it or add its folder to the search path")
        })
    }

    /// The file's size in bytes; an empty file is an error.
    ///
    /// # Errors
    /// Not found, empty, too large or unreadable.
    pub fn size(&self, name: &str) -> Result<u64, String> {
        let path = self.find(name)?;
        let size = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
        match size {
            0 => Err(format!("file '{}' is empty; give it contents", path.display())),
            size if size > MAX_FILE => Err(format!("file '{}' is larger than 8 GiB", path.display())),
            size => Ok(size),
        }
    }

    /// The file's contents.
    ///
    /// # Errors
    /// As [`SearchPath::size`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        self.size(name)?;
        let path = self.find(name)?;
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}
