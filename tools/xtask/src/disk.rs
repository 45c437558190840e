//! The disk of a system that is started: made when it is missing, kept afterwards.

use crate::options::SystemOptions;
use crate::shell;
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use tools_disk::Addition;

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

/// The manifest beside a model.
pub fn manifest_of(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// Makes the disk image where there is none and puts the model on it, with its manifest where it has one.
///
/// # Errors
/// As [`prepare`].
pub fn fill(path: &Path, model: Option<&Path>) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let manifest = model.map(manifest_of).filter(|path| path.is_file());
    let additions: Vec<_> =
        model.map(Path::to_path_buf).into_iter().chain(manifest).map(Addition::model).collect();
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("disk {bar:30} {bytes}/{total_bytes} {eta}")?);
    let prepared = tools_disk::prepare(path, &additions, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Ok(prepared?)
}

/// Removes the disks of tests.
///
/// # Errors
/// When the folder cannot be read.
pub fn forget() -> Result<()> {
    forget_in(&shell::root().join("target/test"))
}

/// Removes the disks of tests in a folder.
///
/// # Errors
/// As [`forget`].
pub fn forget_in(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "img") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
