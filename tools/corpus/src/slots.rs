// SPDX-License-Identifier: MIT
//! Values for slots: the lists of `slots.txt`, and kinds that are made (`made.rs`).

use crate::source::{Lines, Split, held, sections};
use crate::words::Words;
use crate::{free, made, names};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::path::Path;

/// All lists, the names of servers and templates from the command table, and words for free texts.
pub struct Slots {
    pub words: Words,
    lists: HashMap<String, Lines>,
}

impl Slots {
    /// Reads the lists.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path, words: Words) -> Result<Self> {
        let mut lists = HashMap::new();
        for section in sections(path)? {
            let list: &mut Lines = lists.entry(section.title.clone()).or_default();
            for (_, line) in &section.lines {
                let (is_held, line) = held(line);
                let separator = if line.contains('|') { '|' } else { ' ' };
                line.split(separator).for_each(|value| list.push(is_held, value));
            }
        }
        for (name, words) in
            [("server", inference_commands::SERVERS), ("template", inference_commands::TEMPLATES)]
        {
            let list: &mut Lines = lists.entry(name.to_string()).or_default();
            for word in words {
                list.push(false, word);
                list.push(true, word);
            }
        }
        Ok(Self { words, lists })
    }

    /// A value from a list.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn listed(&self, kind: &str, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
        let list = self.lists.get(kind).with_context(|| format!("no values for the slot {{{kind}}}"))?;
        let list = list.of(split);
        Ok(list.get(rng.usize(..list.len().max(1))).cloned().unwrap_or_default())
    }

    /// A value of a kind that is made or listed.
    ///
    /// # Errors
    /// When there is no such kind.
    pub fn value(&self, kind: &str, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
        let free = if split == Split::Train { free::text(self, kind, rng)? } else { None };
        match free.or_else(|| made::number(kind, rng)) {
            Some(value) => Ok(value),
            None => names::name(self, kind, split, rng),
        }
    }

    /// Values for all slots of a template.
    ///
    /// # Errors
    /// As [`Slots::value`].
    pub fn values(
        &self,
        names: &[String],
        split: Split,
        rng: &mut fastrand::Rng,
    ) -> Result<HashMap<String, String>> {
        names.iter().map(|name| Ok((name.clone(), self.value(name, split, rng)?))).collect()
    }
}
