// SPDX-License-Identifier: MIT
//! A file that appears under its name only when it is whole.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// A file being written beside its target, as `TARGET.partial`. Dropped before [`Partial::finish`], it is removed; a
/// process that is killed leaves it behind, and the target untouched.
pub struct Partial {
    file: BufWriter<File>,
    path: PathBuf,
    target: PathBuf,
}

impl Partial {
    /// # Errors
    /// Those of creating a file, and that `target` is a folder.
    pub fn create(target: &Path) -> Result<Self> {
        if target.is_dir() {
            return Err(Error::new(ErrorKind::IsADirectory, "Is a directory: name a file in it"));
        }
        let mut name = OsString::from(target);
        name.push(".partial");
        let path = PathBuf::from(name);
        let file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        Ok(Self { file, path, target: target.to_path_buf() })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Those of writing what is buffered, and of renaming.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        std::fs::rename(&self.path, &self.target).map_err(|error| named(&self.target, &error))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.file.write(bytes).map_err(|error| named(&self.target, &error))
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|error| named(&self.target, &error))
    }
}

/// The error with the name of the file that it befell.
fn named(target: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("cannot write {}: {error}", target.display()))
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After `finish` there is nothing of this name any more.
        let _ = std::fs::remove_file(&self.path);
    }
}
