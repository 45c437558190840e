// SPDX-License-Identifier: MIT
//! A GGUF file that a command begins with: its bytes, its vocabulary, its model.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use inference_gguf::Gguf;
use inference_model::Model;
use inference_tokenizer::Tokenizer;

/// The bytes of a file, with its name for messages.
pub struct Source {
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Source {
    /// Reads `file`.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self { file: file.to_path_buf(), bytes })
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn unusable(&self) -> String {
        format!("{} is not usable", self.file.display())
    }

    /// Its header.
    pub fn gguf(&self) -> Result<Gguf<'_>> {
        Gguf::parse(&self.bytes).with_context(|| self.unusable())
    }

    /// The vocabulary in it.
    pub fn tokenizer<'a>(&'a self, gguf: &Gguf<'a>) -> Result<Tokenizer<'a>> {
        Tokenizer::from_gguf(gguf).with_context(|| format!("the vocabulary of {}", self.unusable()))
    }

    /// The model in it.
    pub fn model<'a>(&'a self, gguf: &Gguf<'a>) -> Result<Model<'a>> {
        Model::bind(gguf).with_context(|| self.unusable())
    }
}
