// SPDX-License-Identifier: MIT
//! Data files: JSON lines, made into documents.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use training::Document;

use crate::files;
use crate::render::{Line, Renderer};

/// Documents, and what was done to them.
#[derive(Debug, Default)]
pub struct Data {
    pub documents: Vec<Document>,
    /// Lines that were longer than the context: texts are cut into several documents, conversations lose their end.
    pub cut: usize,
    /// Lines without anything to learn.
    pub empty: usize,
}

impl Data {
    /// Reads all lines of `files`, in their order.
    ///
    /// # Errors
    /// The first line that is not usable, by file and number.
    pub fn read(files: &[PathBuf], renderer: &Renderer<'_, '_>, context: usize) -> Result<Self> {
        let mut data = Self::default();
        for file in files {
            data.add(file, renderer, context)?;
        }
        let names = || files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
        ensure!(!data.documents.is_empty(), "{} holds nothing to learn", names());
        Ok(data)
    }

    fn add(&mut self, file: &Path, renderer: &Renderer<'_, '_>, context: usize) -> Result<()> {
        let mut lines: Vec<(usize, String)> = Vec::new();
        files::each_line(file, |number, line| {
            lines.push((number, line.to_string()));
            Ok(())
        })?;
        let read = |(number, line): &(usize, String)| {
            let document = serde_json::from_str::<Line>(line).map_err(Into::into);
            document
                .and_then(|line| renderer.document(&line))
                .with_context(|| format!("{}:{number} is not usable", file.display()))
        };
        let documents: Vec<Result<Document>> = lines.par_iter().map(read).collect();
        for document in documents {
            self.push(document?, context);
        }
        Ok(())
    }

    /// Cuts a document that is too long: each part begins with the last token of the one before.
    fn push(&mut self, document: Document, context: usize) {
        let long = document.inputs() > context;
        let all = document.counted.iter().skip(1).all(|counted| *counted);
        self.cut += usize::from(long);
        let mut start = 0;
        loop {
            let end = (start + context + 1).min(document.tokens.len());
            let part = Document {
                tokens: document.tokens[start..end].to_vec(),
                counted: document.counted[start..end].to_vec(),
            };
            match part.targets() {
                0 => self.empty += 1,
                _ => self.documents.push(part),
            }
            // Only texts go on: the rest of a conversation means nothing without its beginning.
            if end == document.tokens.len() || !all {
                return;
            }
            start = end - 1;
        }
    }

    /// Tokens that are read, and tokens that count, in an epoch.
    pub fn totals(&self) -> (usize, usize) {
        let inputs = self.documents.iter().map(Document::inputs).sum();
        (inputs, self.documents.iter().map(Document::targets).sum())
    }
}
