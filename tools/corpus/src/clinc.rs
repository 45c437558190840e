// SPDX-License-Identifier: MIT
//! CLINC150 (Larson et al. 2019, CC BY 3.0): short requests to an assistant, by intent. Optional.

use crate::source::Split;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

/// Its texts, `(text, intent)`.
#[derive(Debug, Default, Deserialize)]
pub struct Clinc {
    train: Vec<(String, String)>,
    val: Vec<(String, String)>,
}

impl Clinc {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// When it is not what it should be.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not CLINC150's train/validation file", path.display()))
    }

    fn part(&self, split: Split) -> &[(String, String)] {
        match split {
            Split::Train => &self.train,
            Split::Held => &self.val,
        }
    }

    /// The texts of all intents but these.
    pub fn without(&self, split: Split, intents: &[&str]) -> Vec<String> {
        let texts = self.part(split).iter().filter(|(_, intent)| !intents.contains(&intent.as_str()));
        texts.map(|(text, _)| text.clone()).collect()
    }

    /// The texts of one intent.
    pub fn of(&self, split: Split, intent: &str) -> Vec<String> {
        let texts = self.part(split).iter().filter(|(_, name)| name == intent);
        texts.map(|(text, _)| text.clone()).collect()
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.train.len() + self.val.len()
    }
}
