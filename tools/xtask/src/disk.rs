//! The disk of a system that is started: made when it is missing, kept afterwards.

use crate::options::SystemOptions;
use crate::{minilm, shell};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use inference_gguf::GgmlType;
use std::path::{Path, PathBuf};
use tools_disk::{Addition, DOCUMENTS, SYSTEM};

/// The disk for these options, with model, documents and embedding model on it; `None` with `--no-disk`.
///
/// # Errors
/// When the disk image or a file cannot be read or written.
pub fn prepare(options: &SystemOptions) -> Result<Option<PathBuf>> {
    if options.no_disk {
        return Ok(None);
    }
    let path = options.disk.clone().unwrap_or_else(|| own(&options.board));
    if options.model.is_none() && path.is_file() {
        hint(&path);
    }
    let manifest = options.model.as_deref().map(manifest_of).filter(|path| path.is_file());
    let mut additions: Vec<_> =
        options.model.clone().into_iter().chain(manifest).map(Addition::model).collect();
    additions.extend(options.documents.iter().map(Addition::document));
    for folder in &options.document_folders {
        collect(folder, DOCUMENTS, &mut additions)?;
    }
    additions.extend(embedding(options).map(|source| Addition { source, folder: SYSTEM.into() }));
    fill(&path, &additions)?;
    Ok(Some(path))
}

/// The model that `run` puts on the disk: the one that was named; where there is no disk yet, the default model.
pub fn model(options: &SystemOptions) -> Option<PathBuf> {
    let elsewhere = options.no_disk || options.disk.is_some() || options.system.is_some();
    let default = default_model();
    let fresh = !elsewhere && !own(&options.board).is_file() && default.is_file();
    options.model.clone().or_else(|| fresh.then_some(default))
}

/// The model that the project made.
fn default_model() -> PathBuf {
    shell::root().join("models/cloister-base.gguf")
}

/// Says so when the disk has another default model than this checkout: what is on a disk stays there.
fn hint(disk: &Path) {
    if tools_disk::differs(disk, &Addition::model(default_model())).unwrap_or(false) {
        eprintln!(
            "the disk has another cloister-base.gguf than models/: --model models/cloister-base.gguf puts this one on it"
        );
    }
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

/// The embedding model: the one that was named, or MiniLM where it can be had; else the system hashes words.
fn embedding(options: &SystemOptions) -> Option<PathBuf> {
    if options.no_embedding {
        return None;
    }
    options.embedding.clone().or_else(|| {
        minilm::gguf(GgmlType::Q8_0)
            .inspect_err(|error| eprintln!("no embedding model, words are hashed instead: {error:#}"))
            .ok()
    })
}

/// The documents of a folder and its folders.
fn collect(folder: &Path, target: &str, additions: &mut Vec<Addition>) -> Result<()> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.with_context(|| format!("--documents {}: cannot be read", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths.into_iter().filter(|path| !path.is_symlink()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') {
            collect(&path, &format!("{target}/{name}"), additions)?;
        } else if path.is_file() && is_document(&name) {
            additions.push(Addition { source: path, folder: target.into() });
        }
    }
    Ok(())
}

fn is_document(name: &str) -> bool {
    retrieval::chunk::Format::of_path(name).is_some()
}

/// Makes the disk image where there is none and puts the files on it.
fn fill(path: &Path, additions: &[Addition]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("disk {bar:30} {bytes}/{total_bytes} {eta}")?);
    let prepared = tools_disk::prepare(path, additions, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Ok(prepared?)
}

/// Where a test makes a disk of its own: what an earlier run left there is removed.
///
/// # Errors
/// When the folder of tests cannot be made.
pub fn fresh(name: &str) -> Result<PathBuf> {
    let folder = shell::root().join("target/test");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.img"));
    let _ = std::fs::remove_file(&path);
    Ok(path)
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
