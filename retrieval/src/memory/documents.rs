// SPDX-License-Identifier: MIT
//! Documents and notes: taken in step by step, unchanged passages kept, removed as a whole.
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::indexes::{insert_vector, searchable};
use super::{Memory, MemoryError};
use crate::chunk::{self, Chunk, Format, Plan, content_hash};
use crate::embed::Embedder;
use crate::index::{Entry, IndexError};
use crate::record::{self, Kind, Passage, Source, Vector};
use crate::store::{Batch, BlockDevice, StoreError};

/// Passages removed per batch at most.
const REMOVALS: usize = 64;
/// Passages stored per batch where their vectors are made later.
const UNEMBEDDED: usize = 8;
/// Longest path, in bytes.
const LONGEST_PATH: usize = 255;

/// What `/rag list` shows of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// The source's id.
    pub id: u64,
    /// Path on the disk, or a note's name.
    pub path: String,
    /// Hash of the document; zeros while it is not completely taken in.
    pub hash: [u8; 16],
    /// Size of the document.
    pub bytes: u64,
    /// When it was last taken in, in seconds since 1970.
    pub time: u64,
    /// Number of its passages.
    pub passages: usize,
}

impl SourceInfo {
    /// False while the document is not completely taken in.
    pub fn is_complete(&self) -> bool {
        self.hash != [0; 16]
    }
}

/// A document that is being taken in; dropping it interrupts, and beginning again goes on where it stopped.
pub struct Ingest {
    source: u64,
    path: String,
    text: String,
    hash: [u8; 16],
    bytes: u64,
    time: u64,
    chunks: Vec<Chunk>,
    plan: Plan,
    total: usize,
}

/// How far a document is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Passages that are durable.
    pub done: usize,
    /// Passages of the document.
    pub total: usize,
    /// True once the document is completely taken in.
    pub finished: bool,
}

impl<D: BlockDevice> Memory<D> {
    /// Begins to take in a document; `None` if it is there, unchanged.
    ///
    /// # Errors
    /// [`MemoryError::UnknownFormat`], [`MemoryError::Chunk`], [`MemoryError::BadLength`] (of the path), [`MemoryError::Store`].
    pub fn begin(&mut self, path: &str, bytes: &[u8], time: u64) -> Result<Option<Ingest>, MemoryError> {
        let format = Format::of_path(path).ok_or(MemoryError::UnknownFormat)?;
        self.begin_as(path, format, bytes, time)
    }

    fn begin_as(
        &mut self,
        path: &str,
        format: Format,
        bytes: &[u8],
        time: u64,
    ) -> Result<Option<Ingest>, MemoryError> {
        if path.is_empty() || path.len() > LONGEST_PATH {
            return Err(MemoryError::BadLength { limit: LONGEST_PATH });
        }
        let hash = content_hash(&[bytes]);
        let known = self.indexes.sources.values().find(|source| source.path == path);
        if known.is_some_and(|source| source.hash == hash) {
            return Ok(None);
        }
        let source = known.map(|source| source.id);
        let text = chunk::decode(bytes)?.into_owned();
        let chunks = chunk::chunk(&text, format, self.config.chunks);
        let stored = source.map_or(Ok(Vec::new()), |source| self.stored_hashes(source))?;
        let plan = chunk::plan(&stored, &chunks);
        let source = source.unwrap_or_else(|| self.new_id());
        let (total, bytes) = (chunks.len(), bytes.len() as u64);
        Ok(Some(Ingest { source, path: path.into(), text, hash, bytes, time, chunks, plan, total }))
    }

    fn stored_hashes(&mut self, source: u64) -> Result<Vec<(u64, [u8; 16])>, MemoryError> {
        let ids: Vec<u64> = self.indexes.passages_of(source).collect();
        let mut hashes = Vec::new();
        for id in ids {
            match self.store.read(Kind::Passage.key(id), &mut self.scratch) {
                Ok(true) => hashes.push((id, record::decode::<Passage<'_>>(&self.scratch)?.hash)),
                Ok(false) => (),
                // The disk changed it: no hash matches, so it is replaced.
                Err(StoreError::Corrupt { .. }) => hashes.push((id, [0; 16])),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(hashes)
    }

    /// Takes in the next few passages, and returns when they are durable.
    ///
    /// # Errors
    /// [`MemoryError::Embed`], [`MemoryError::Index`], [`MemoryError::Store`]; what earlier steps took in stays.
    pub fn step(
        &mut self,
        ingest: &mut Ingest,
        embedder: &mut dyn Embedder,
    ) -> Result<Progress, MemoryError> {
        if !ingest.plan.remove.is_empty() {
            let count = ingest.plan.remove.len().min(REMOVALS);
            self.remove_passages(ingest.source, &ingest.plan.remove[..count])?;
            ingest.plan.remove.drain(..count);
            return Ok(ingest.progress(false));
        }
        let most = if self.config.embed_later { UNEMBEDDED } else { self.config.step.max(1) };
        let count = ingest.plan.add.len().min(most);
        let added: Vec<usize> = ingest.plan.add[..count].to_vec();
        let finished = count == ingest.plan.add.len();
        self.add_passages(ingest, &added, finished, embedder)?;
        ingest.plan.add.drain(..count);
        Ok(ingest.progress(finished))
    }

    fn add_passages(
        &mut self,
        ingest: &Ingest,
        added: &[usize],
        finished: bool,
        embedder: &mut dyn Embedder,
    ) -> Result<(), MemoryError> {
        if self.indexes.words.len() + added.len() > self.config.max_passages {
            return Err(IndexError::Full { limit: self.config.max_passages }.into());
        }
        let hash = if finished { ingest.hash } else { [0; 16] };
        let source = Source { path: &ingest.path, hash, bytes: ingest.bytes, time: ingest.time };
        let mut batch = Batch::new();
        batch.put(Kind::Source.key(ingest.source), &record::encode(&source)?)?;
        let mut made = Vec::new();
        for index in added {
            let id = self.new_id();
            let passage = ingest.passage(*index);
            batch.put(Kind::Passage.key(id), &record::encode(&passage)?)?;
            let mut vector = None;
            if !self.config.embed_later {
                let values = self.embed(&searchable(passage.heading, passage.text), embedder)?;
                batch.put(Kind::Vector.key(id), &values)?;
                vector = Some(values);
            }
            made.push((id, passage, vector));
        }
        self.store.commit(&batch)?;
        self.indexes.source(ingest.source, &source);
        made.iter().try_for_each(|(id, passage, vector)| self.enter(*id, passage, vector.as_deref()))
    }

    /// Enters a passage that is durable into the indexes.
    fn enter(&mut self, id: u64, passage: &Passage<'_>, vector: Option<&[u8]>) -> Result<(), MemoryError> {
        self.indexes.passage(id, passage)?;
        let Some(vector) = vector else {
            self.indexes.unembedded.insert(Kind::Passage.key(id));
            return Ok(());
        };
        let entry = Entry { id, source: passage.source, time: passage.time };
        let embedding = self.indexes.embedding;
        insert_vector(&mut self.indexes.vectors, embedding, entry, &Vector::decode(vector)?)
    }

    /// The vector of a text as it is stored.
    pub(super) fn embed(&self, text: &str, embedder: &mut dyn Embedder) -> Result<Vec<u8>, MemoryError> {
        let mut vector = alloc::vec![0.0; embedder.dims()];
        embedder.embed(text, &mut vector)?;
        let encode = if self.config.exact { Vector::encode_f32 } else { Vector::encode_q8 };
        Ok(encode(embedder.id(), &vector))
    }

    fn remove_passages(&mut self, source: u64, ids: &[u64]) -> Result<(), MemoryError> {
        for ids in ids.chunks(REMOVALS) {
            let mut batch = Batch::new();
            for id in ids {
                batch.delete(Kind::Passage.key(*id))?;
                batch.delete(Kind::Vector.key(*id))?;
            }
            self.store.commit(&batch)?;
            ids.iter().for_each(|id| self.indexes.forget_passage(source, *id));
        }
        Ok(())
    }

    /// Takes in a note as a source of its own; returns its id.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`step`](Self::step).
    pub fn add_note(
        &mut self,
        text: &str,
        time: u64,
        embedder: &mut dyn Embedder,
    ) -> Result<u64, MemoryError> {
        if text.trim().is_empty() {
            return Err(MemoryError::BadLength { limit: chunk::MAX_DOCUMENT });
        }
        let path = format!("note {}", self.indexes.next_id);
        let Some(mut ingest) = self.begin_as(&path, Format::Text, text.as_bytes(), time)? else {
            return Err(MemoryError::NotFound);
        };
        while !self.step(&mut ingest, embedder)?.finished {}
        Ok(ingest.source)
    }

    /// Removes a source and all that came from it; works on a full disk too. Returns how many passages went.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`], [`MemoryError::Store`]; after the latter, call it again.
    pub fn remove_source(&mut self, id: u64) -> Result<usize, MemoryError> {
        if !self.indexes.sources.contains_key(&id) {
            return Err(MemoryError::NotFound);
        }
        let passages: Vec<u64> = self.indexes.passages_of(id).collect();
        self.remove_passages(id, &passages)?;
        let mut batch = Batch::new();
        batch.delete(Kind::Source.key(id))?;
        self.store.commit(&batch)?;
        self.indexes.sources.remove(&id);
        Ok(passages.len())
    }

    /// All sources, oldest first.
    pub fn sources(&self) -> impl Iterator<Item = SourceInfo> + '_ {
        self.indexes.sources.values().map(|source| {
            let passages = self.indexes.passages_of(source.id).count();
            SourceInfo { passages, ..source.clone() }
        })
    }

    /// The source of a path, or of a note's name.
    pub fn source_of(&self, path: &str) -> Option<u64> {
        self.indexes.sources.values().find(|source| source.path == path).map(|source| source.id)
    }
}

impl Ingest {
    /// The document's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn passage(&self, index: usize) -> Passage<'_> {
        let chunk = &self.chunks[index];
        Passage {
            source: self.source,
            start: chunk.range.start as u64,
            hash: chunk.hash,
            time: self.time,
            heading: &chunk.heading,
            text: &self.text[chunk.range.clone()],
        }
    }

    fn progress(&self, finished: bool) -> Progress {
        Progress { done: self.total - self.plan.add.len(), total: self.total, finished }
    }
}
