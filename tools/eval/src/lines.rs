// SPDX-License-Identifier: MIT
//! Files of JSON lines.

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use std::path::Path;

/// The lines of a file, at most `limit`.
///
/// # Errors
/// Names the line that is not understood; a file without lines is an error too.
pub fn read<T: DeserializeOwned>(file: &Path, limit: Option<usize>, form: &str) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = lines.take(limit.unwrap_or(usize::MAX)).map(|(index, line)| {
        let place = || format!("{}:{}: a line must be {form}", file.display(), index + 1);
        serde_json::from_str(line).with_context(place)
    });
    let read: Vec<T> = read.collect::<Result<_>>()?;
    ensure!(!read.is_empty(), "{} has no lines: they must be {form}", file.display());
    Ok(read)
}
