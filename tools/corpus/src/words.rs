// SPDX-License-Identifier: MIT
//! Words to practise with: all that occur in some texts, each once, so that rare ones are as likely as frequent ones.

use crate::made::{capital, one};
use crate::names::invented;
use crate::slots::Slots;
use crate::source::Split;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Kinds of values that stand among the words.
const VALUES: [&str; 14] = [
    "date",
    "year",
    "time",
    "code",
    "money",
    "weight",
    "length",
    "temperature",
    "phone",
    "ip",
    "quantity",
    "person",
    "city",
    "reading",
];

/// Words of texts, in small letters.
pub struct Words(Vec<String>);

impl Words {
    /// Those of all files of the folder `data`, and of `texts`.
    ///
    /// # Errors
    /// When a file cannot be read, or there are hardly any words.
    pub fn read(data: &Path, texts: &[PathBuf]) -> Result<Self> {
        let mut words = BTreeSet::new();
        let entries = std::fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))?;
        let entries = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        let written = entries.iter().filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
        for path in written.chain(texts) {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            words.extend(
                text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| usable(word)).map(String::from),
            );
        }
        ensure!(words.len() > 100, "{} words are too few to practise with", words.len());
        Ok(Self(words.into_iter().collect()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One of them.
    pub fn plain<'a>(&'a self, rng: &mut fastrand::Rng) -> &'a str {
        &self.0[rng.usize(..self.0.len())]
    }
}

/// Mostly a word, sometimes with a capital; else a made name or a value.
///
/// # Errors
/// When a list is missing.
pub fn mixed(slots: &Slots, rng: &mut fastrand::Rng) -> Result<String> {
    let plain = |rng: &mut fastrand::Rng| slots.words.plain(rng).to_string();
    Ok(match rng.u8(..20) {
        0..12 => plain(rng),
        12..14 => capital(&plain(rng)),
        14..17 => invented(rng),
        17 => plain(rng).to_uppercase(),
        _ => slots.value(one(&VALUES, rng), Split::Train, rng)?,
    })
}

/// Small letters, and neither a single one nor a whole sentence.
fn usable(word: &str) -> bool {
    (2..16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
}
