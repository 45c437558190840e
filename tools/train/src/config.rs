// SPDX-License-Identifier: MIT
//! The file that says how large a model is to be.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use training::Shape;

/// A model file's `model.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `general.name`.
    #[serde(default = "name")]
    pub name: String,
    pub dim: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: Option<usize>,
    pub ffn: usize,
    pub context: usize,
    #[serde(default = "rope_base")]
    pub rope_base: f32,
    #[serde(default = "eps")]
    pub eps: f32,
    #[serde(default = "tied")]
    pub tied: bool,
}

fn name() -> String {
    "cloister".into()
}

fn rope_base() -> f32 {
    10_000.0
}

fn eps() -> f32 {
    1e-5
}

fn tied() -> bool {
    true
}

impl Config {
    /// Reads `file`.
    pub fn read(file: &Path) -> Result<(Self, String)> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let config = toml::from_str(&text).with_context(|| format!("{} is not usable", file.display()))?;
        Ok((config, text))
    }

    /// The shape with a vocabulary of `vocab` tokens.
    pub fn shape(&self, vocab: usize) -> Result<Shape> {
        let shape = Shape {
            vocab,
            dim: self.dim,
            layers: self.layers,
            heads: self.heads,
            kv_heads: self.kv_heads.unwrap_or(self.heads),
            ffn: self.ffn,
            context: self.context,
            rope_base: self.rope_base,
            eps: self.eps,
            tied: self.tied,
        };
        shape.check()?;
        Ok(shape)
    }
}
