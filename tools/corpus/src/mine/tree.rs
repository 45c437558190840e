// SPDX-License-Identifier: MIT
//! The files of a tree, and their comments.

use super::Counts;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most folders within folders.
const DEEPEST: usize = 64;
/// Lines at the beginning of a file among which the licence is looked for.
const HEADER: usize = 80;
/// Most lines of a licence or a comment.
const COMMENT: usize = 60;

/// A text file.
pub struct Source {
    pub text: String,
}

/// All text files of at most `largest` bytes, by their path in the tree. Links are not followed; what begins with a
/// dot is passed over.
///
/// # Errors
/// When the tree itself cannot be read. What cannot be read in it is counted.
pub fn read(tree: &Path, largest: u64, counts: &mut Counts) -> Result<BTreeMap<PathBuf, Source>> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![(PathBuf::new(), 0)];
    std::fs::read_dir(tree).with_context(|| format!("cannot read {}", tree.display()))?;
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(tree.join(&folder)) else {
            *counts.entry("folders that cannot be read").or_default() += 1;
            continue;
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            match entry.file_type() {
                _ if entry.file_name().as_encoded_bytes().starts_with(b".") => {}
                Ok(kind) if kind.is_dir() && depth < DEEPEST => folders.push((path, depth + 1)),
                Ok(kind) if kind.is_file() => match file(&tree.join(&path), largest) {
                    Ok(text) => drop(sources.insert(path, Source { text })),
                    Err(reason) => *counts.entry(reason).or_default() += 1,
                },
                Ok(kind) if kind.is_symlink() => *counts.entry("links not followed").or_default() += 1,
                _ => *counts.entry("neither file nor folder").or_default() += 1,
            }
        }
    }
    *counts.entry("files read").or_default() += sources.len();
    Ok(sources)
}

/// The text of a file, or why it is passed over. Bytes that are no UTF-8 are replaced (old sources are in Latin-1).
fn file(path: &Path, largest: u64) -> std::result::Result<String, &'static str> {
    const UNREADABLE: &str = "files that cannot be read";
    // ctags takes a list with a path on each line.
    if path.as_os_str().as_encoded_bytes().contains(&b'\n') {
        return Err("files with a line break in their name");
    }
    let size = std::fs::metadata(path).map_err(|_| UNREADABLE)?.len();
    if size > largest {
        return Err("files too large");
    }
    let bytes = std::fs::read(path).map_err(|_| UNREADABLE)?;
    if bytes.contains(&0) {
        return Err("binary files");
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The first block of comments that speaks of licence or copyright, if the file begins with one.
pub fn licence(lines: &[&str]) -> String {
    let mut block: Vec<&str> = Vec::new();
    for line in lines.iter().take(HEADER) {
        if is_comment(line, !block.is_empty()) {
            block.push(line);
        } else if !block.is_empty() && speaks_of_licence(&block) {
            break;
        } else {
            block.clear();
        }
    }
    block.truncate(COMMENT);
    if speaks_of_licence(&block) { block.join("\n") } else { String::new() }
}

fn speaks_of_licence(block: &[&str]) -> bool {
    const WORDS: [&str; 5] = ["licen", "copyright", "spdx", "public domain", "(c)"];
    let text = block.join(" ").to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// The comment that ends right before line `at` (from 0).
pub fn comment_before(lines: &[&str], at: usize) -> String {
    let before = lines.get(..at).unwrap_or(&[]);
    let count = before.iter().rev().take(COMMENT).take_while(|line| is_comment(line, true)).count();
    before[before.len() - count..].join("\n").trim_matches('\n').to_string()
}

/// Whether a line is a comment in C, C++, Rust, Go, Python, shell, Perl, Lisp, SQL or Lua. `inside`: what begins with
/// `*`, and closing lines, count too.
fn is_comment(line: &str, inside: bool) -> bool {
    let line = line.trim_start();
    let begins = ["//", "/*", "# ", "#!", "##", ";;", "--", "\"\"\"", "dnl "]
        .iter()
        .any(|mark| line.starts_with(mark));
    begins || line == "#" || inside && (line.starts_with('*') || line.trim_end().ends_with("*/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_and_comments_are_found() {
        let text = "#include <x>\n/* nothing */\n\n/*\n * Copyright 1999 A. Person\n */\nint a;\n\n/** Adds. */\nint add(void)";
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(licence(&lines), "/*\n * Copyright 1999 A. Person\n */");
        assert_eq!(comment_before(&lines, 9), "/** Adds. */");
        assert_eq!(comment_before(&lines, 7), "");
        assert_eq!(licence(&["int a;"]), "");
    }
}
