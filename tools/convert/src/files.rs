// SPDX-License-Identifier: MIT
//! Where a model's files come from: a folder, or a Python wheel (a zip file) that holds that folder.
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The largest file that is read.
const MAX_FILE: u64 = 4 << 30;

/// A folder, or an archive.
pub enum Files {
    /// A folder on the disk.
    Folder(PathBuf),
    /// A zip file and the folder in it that holds the model.
    Archive { path: PathBuf, folder: String },
}

impl Files {
    /// Opens a folder or a zip file; in a zip file, the folder with the first `model.safetensors`.
    ///
    /// # Errors
    /// A file that is no zip file, or holds no model.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let archive = open_archive(path)?;
        let mut names = archive.file_names().flatten();
        let model = names.find_map(|name| name.strip_suffix("model.safetensors").map(str::to_owned));
        let folder = model.with_context(|| format!("no model.safetensors in {}", path.display()))?;
        Ok(Self::Archive { path: path.to_owned(), folder })
    }

    /// A whole file; `None` if there is none of this name.
    ///
    /// # Errors
    /// A file that cannot be read, or is larger than 4 GiB.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                if !path.exists() {
                    return Ok(None);
                }
                fs::read(&path).map(Some).with_context(|| format!("reading {}", path.display()))
            }
            Self::Archive { path, folder } => {
                let mut archive = open_archive(path)?;
                let Ok(file) = archive.by_name(&format!("{folder}{name}")) else { return Ok(None) };
                ensure!(file.size() <= MAX_FILE, "{name} claims {} bytes", file.size());
                let mut bytes = Vec::new();
                file.take(MAX_FILE).read_to_end(&mut bytes).with_context(|| format!("unpacking {name}"))?;
                Ok(Some(bytes))
            }
        }
    }

    /// A whole file that must be there.
    ///
    /// # Errors
    /// As [`read`](Self::read); a file that is missing.
    pub fn require(&self, name: &str) -> Result<Vec<u8>> {
        self.read(name)?.with_context(|| format!("{name} is missing"))
    }
}

fn open_archive(path: &Path) -> Result<zip::ZipArchive<File>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    zip::ZipArchive::new(file)
        .with_context(|| format!("{} is neither a folder nor a zip file", path.display()))
}
