// SPDX-License-Identifier: MIT
//! Files: read line by line, written whole or not at all.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Calls `job` with the number (from 1) and the text of each line that is not empty.
pub fn each_line(file: &Path, mut job: impl FnMut(usize, &str) -> Result<()>) -> Result<()> {
    let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut reader = BufReader::with_capacity(1 << 16, open);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", file.display()))?
            == 0
        {
            break;
        }
        let place = || format!("{}:{number}", file.display());
        let text = std::str::from_utf8(&line).with_context(|| format!("{}: not UTF-8", place()))?;
        if !text.trim().is_empty() {
            job(number, text.trim()).with_context(place)?;
        }
    }
    Ok(())
}

/// Calls `job` with the texts of a file: its lines, or of a JSONL file all strings in its lines but roles.
pub fn each_text(file: &Path, mut job: impl FnMut(&str)) -> Result<()> {
    if file.extension().is_none_or(|extension| extension != "jsonl") {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let Ok(text) = String::from_utf8(bytes) else {
            bail!("{}: not UTF-8: convert it first", file.display());
        };
        job(&text);
        return Ok(());
    }
    each_line(file, |_, line| {
        each_string(&serde_json::from_str(line)?, &mut job);
        Ok(())
    })
}

fn each_string(value: &Value, job: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => job(text),
        Value::Array(items) => items.iter().for_each(|item| each_string(item, job)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !["role", "loss"].contains(&name.as_str()))
            .for_each(|(_, value)| each_string(value, job)),
        _ => {}
    }
}

/// Writes `bytes` beside `file`, then puts it in its place: what was there stays whole until the new one is.
pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    write_with(file, |out| out.write_all(bytes))
}

/// As [`write()`], in pieces.
pub fn write_with(file: &Path, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
    let beside = beside(file);
    let outcome = (|| {
        let mut out = File::create(&beside)?;
        fill(&mut out)?;
        out.sync_all()?;
        std::fs::rename(&beside, file)
    })();
    if outcome.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    outcome.with_context(|| format!("cannot write {}; what was there is unchanged", file.display()))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    file.with_file_name(name)
}
