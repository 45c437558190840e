// SPDX-License-Identifier: MIT
//! Vectors kept from run to run: a file per embedding and list of texts, named after the hash of both.
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use retrieval::chunk::content_hash;

use crate::embedding::Embedding;

/// The vectors of all texts, from the cache if they are there, else computed and kept.
///
/// # Errors
/// As [`Embedding::embed_all`]; a file that cannot be read or written, or has another size than the texts.
pub fn embed_all(
    what: &str,
    texts: &[&str],
    embedding: &Embedding,
    folder: Option<&Path>,
) -> Result<Vec<Vec<f32>>> {
    let Some(folder) = folder else { return embedding.embed_all(what, texts) };
    let label = embedding.label()?;
    let parts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).chain([label.as_bytes()]).collect();
    let name: String = content_hash(&parts).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(name + ".f32");
    if path.is_file() {
        return read(&path, texts.len());
    }
    let vectors = embedding.embed_all(what, texts)?;
    let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes)).context("writing the cache")?;
    Ok(vectors)
}

fn read(path: &Path, count: usize) -> Result<Vec<Vec<f32>>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let fits = count > 0 && !values.is_empty() && values.len().is_multiple_of(count);
    ensure!(fits, "{} does not hold {count} vectors; remove it", path.display());
    Ok(values.chunks_exact(values.len() / count).map(<[f32]>::to_vec).collect())
}
