// SPDX-License-Identifier: MIT
//! What is written: `functions.jsonl` to train with, and a document for each file to search in.

use super::{Function, Mined};
use anyhow::{Context, Result};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Component, Path};

/// A line for the trainer: up to the function's head, and the rest.
#[derive(Serialize)]
struct Pair {
    prompt: String,
    completion: String,
}

/// Writes everything; the result is the bytes of it.
///
/// # Errors
/// When a file cannot be written.
pub fn all(output: &Path, mined: &[Mined]) -> Result<u64> {
    let documents = output.join("documents");
    std::fs::create_dir_all(&documents).with_context(|| format!("cannot create {}", documents.display()))?;
    let path = output.join("functions.jsonl");
    let cannot = || format!("cannot write {}", path.display());
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).with_context(cannot)?);
    let mut bytes = 0;
    for file in mined {
        for function in &file.functions {
            serde_json::to_writer(&mut out, &pair(file, function)).with_context(cannot)?;
            out.write_all(b"\n").with_context(cannot)?;
        }
        let text = document(file);
        bytes += text.len() as u64;
        let name = documents.join(flat(&file.path));
        std::fs::write(&name, text).with_context(|| format!("cannot write {}", name.display()))?;
    }
    out.flush().with_context(cannot)?;
    Ok(bytes + std::fs::metadata(&path).with_context(cannot)?.len())
}

/// Licence, place, comment and head; then the body.
fn pair(file: &Mined, function: &Function) -> Pair {
    let head = function
        .text
        .find('{')
        .map_or_else(|| function.text.find('\n').unwrap_or(function.text.len()), |brace| brace + 1);
    let (head, body) = function.text.split_at(head);
    let mut prompt = String::new();
    for part in [file.licence.as_str(), &format!("// {}", file.path.display()), &function.comment] {
        if !part.is_empty() {
            prompt.push_str(part);
            prompt.push('\n');
        }
    }
    Pair { prompt: prompt + head, completion: body.to_string() }
}

/// A file's functions with headings, as the retriever cuts documents.
fn document(file: &Mined) -> String {
    let mut text = format!("# {}\n", file.path.display());
    if !file.licence.is_empty() {
        let _ = write!(text, "\n```\n{}\n```\n", file.licence);
    }
    for function in &file.functions {
        let comment =
            if function.comment.is_empty() { String::new() } else { format!("{}\n", function.comment) };
        let Function { name, line, text: body, .. } = function;
        let _ = write!(text, "\n## {name} (line {line})\n\n```\n{comment}{body}\n```\n");
    }
    text
}

/// A file's path as one name: documents lie in one folder.
fn flat(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("__") + ".md"
}
