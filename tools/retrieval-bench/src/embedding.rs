// SPDX-License-Identifier: MIT
//! Embeddings of many texts: MiniLM from a GGUF on all cores, or the hash fallback.
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use inference_embedding::{Encoder, EncoderModel};
use inference_gguf::Gguf;
use inference_kernels::{CpuFeatures, Kernels};
use retrieval::embed::{EmbedError, Embedder, HashEmbedder};

/// Which embedding is measured.
pub enum Embedding {
    /// Words only.
    Hash,
    /// An encoder's GGUF.
    Model {
        /// The file.
        path: PathBuf,
        /// What it holds.
        bytes: Vec<u8>,
    },
}

/// An encoder as the retrieval library wants it.
pub struct ModelEmbedder<'m, 'b>(pub Encoder<'m, 'b>);

impl Embedder for ModelEmbedder<'_, '_> {
    fn label(&self) -> &str {
        self.0.model().label()
    }

    fn dims(&self) -> usize {
        self.0.model().dims()
    }

    fn embed(&mut self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        self.0.embed(text, out).map(drop).map_err(|_| EmbedError::Failed)
    }
}

impl Embedding {
    /// The model of a file, or the fallback.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(model: Option<&Path>) -> Result<Self> {
        let Some(path) = model else { return Ok(Self::Hash) };
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self::Model { path: path.to_owned(), bytes })
    }

    /// Calls `work` with an embedder.
    ///
    /// # Errors
    /// A file that is no encoder; what `work` returns.
    pub fn with<T>(&self, work: impl FnOnce(&mut dyn Embedder) -> Result<T>) -> Result<T> {
        let Self::Model { path, bytes } = self else { return work(&mut HashEmbedder) };
        let wrong = |error: &dyn core::fmt::Display| anyhow!("{}: {error}", path.display());
        let gguf = Gguf::parse(bytes).map_err(|error| wrong(&error))?;
        let model = EncoderModel::bind(&gguf).map_err(|error| wrong(&error))?;
        let needs = model.needs().map_err(|error| wrong(&error))?;
        let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
        let kernels = Kernels::select(CpuFeatures::detect());
        let encoder =
            Encoder::new(&model, kernels, &mut cache, &mut scratch).map_err(|error| wrong(&error))?;
        work(&mut ModelEmbedder(encoder))
    }

    /// The label that is stored and shown.
    ///
    /// # Errors
    /// A file that is no encoder.
    pub fn label(&self) -> Result<String> {
        self.with(|embedder| Ok(embedder.label().to_owned()))
    }

    /// Vectors of all texts, in order, computed by one thread per core.
    ///
    /// # Errors
    /// A file that is no encoder; an embedding that failed.
    pub fn embed_all<S: AsRef<str> + Sync>(&self, what: &str, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        let style = ProgressStyle::with_template("{msg:>10} [{bar:40}] {pos}/{len} {eta}")?;
        let bar = ProgressBar::new(texts.len() as u64).with_style(style).with_message(what.to_owned());
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
        let work = || self.with(|embedder| embed_some(embedder, texts, &next, &bar));
        let parts: Result<Vec<_>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().map_err(|_| anyhow!("a worker panicked"))?)
                .collect()
        });
        bar.finish_and_clear();
        let mut all: Vec<(usize, Vec<f32>)> = parts?.into_iter().flatten().collect();
        all.sort_unstable_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, vector)| vector).collect())
    }
}

/// Takes texts until none is left.
fn embed_some<S: AsRef<str>>(
    embedder: &mut dyn Embedder,
    texts: &[S],
    next: &AtomicUsize,
    bar: &ProgressBar,
) -> Result<Vec<(usize, Vec<f32>)>> {
    let mut done = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(text) = texts.get(index) else { return Ok(done) };
        let mut vector = vec![0.0; embedder.dims()];
        embedder.embed(text.as_ref(), &mut vector)?;
        done.push((index, vector));
        bar.inc(1);
    }
}
