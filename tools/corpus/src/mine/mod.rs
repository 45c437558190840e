// SPDX-License-Identifier: MIT
//! `mine`: the functions of a source tree, as lines to train with and as documents to search.
//!
//! One design rule: a tree is what people throw at it. Broken, binary and huge files and links in circles are counted
//! and passed over; nothing of the tree is executed, and nothing is written into it.
//!
//! Limits: what universal-ctags takes for a function with a known end is one.

mod tags;
mod tree;
mod write;

use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tags::Tag;
use tree::Source;

/// What to mine, and where to.
#[derive(clap::Args)]
pub struct Options {
    /// Folder with sources.
    tree: PathBuf,
    /// Folder for `functions.jsonl` and `documents/`.
    #[arg(short, long)]
    output: PathBuf,
    /// Shorter functions are left out: they must have more lines than this.
    #[arg(long, value_name = "LINES", default_value_t = 10)]
    longer_than: usize,
    /// Longer functions are left out.
    #[arg(long, value_name = "LINES", default_value_t = 400)]
    at_most: usize,
    /// Larger files are passed over.
    #[arg(long, value_name = "KIB", default_value_t = 1024)]
    largest: u64,
    /// Install the Debian package universal-ctags first, where it is missing.
    #[arg(long)]
    install: bool,
}

/// A function that is kept.
pub struct Function {
    pub name: String,
    /// Line of its first token, from 1.
    pub line: usize,
    /// The comment right before it.
    pub comment: String,
    /// All its lines.
    pub text: String,
}

/// A file with functions that are kept.
pub struct Mined {
    /// Relative to the tree.
    pub path: PathBuf,
    /// The comment at its beginning that speaks of licence or copyright.
    pub licence: String,
    pub functions: Vec<Function>,
}

/// What became of files and functions, by reason.
type Counts = BTreeMap<&'static str, usize>;

/// Mines a tree and prints what was found.
///
/// # Errors
/// Without universal-ctags, without a tree, when nothing is found, and when the results cannot be written.
pub fn run(options: &Options) -> Result<()> {
    let begun = Instant::now();
    ensure!(options.tree.is_dir(), "{} is no folder: give one with sources", options.tree.display());
    tags::program(options.install)?;
    let mut counts = Counts::new();
    let sources = tree::read(&options.tree, options.largest * 1024, &mut counts)?;
    let paths: Vec<&Path> = sources.keys().map(PathBuf::as_path).collect();
    let found = tags::functions(&options.tree, &paths)?;
    let mined = curated(options, &sources, found, &mut counts);
    ensure!(
        !mined.is_empty(),
        "no function of {} is left ({}): is it a folder with sources?",
        options.tree.display(),
        listed(&counts)
    );
    let bytes = write::all(&options.output, &mined)?;
    let functions: usize = mined.iter().map(|file| file.functions.len()).sum();
    println!(
        "{functions} functions of {} files, {} KiB, in {:.1} s",
        mined.len(),
        bytes / 1024,
        begun.elapsed().as_secs_f64()
    );
    println!("{}", listed(&counts));
    Ok(())
}

fn listed(counts: &Counts) -> String {
    let all: Vec<String> = counts.iter().map(|(what, count)| format!("{what}: {count}")).collect();
    all.join(", ")
}

/// The functions that are long enough and were not seen before, file by file.
fn curated(
    options: &Options,
    sources: &BTreeMap<PathBuf, Source>,
    found: BTreeMap<PathBuf, Vec<Tag>>,
    counts: &mut Counts,
) -> Vec<Mined> {
    let (mut seen, mut mined) = (HashSet::new(), Vec::new());
    for (path, tags) in found {
        let Some(source) = sources.get(&path) else { continue };
        let lines: Vec<&str> = source.text.lines().collect();
        let mut functions = Vec::new();
        for tag in tags {
            let Some(text) = lines.get(tag.line - 1..tag.end) else {
                *counts.entry("functions without a usable end").or_default() += 1;
                continue;
            };
            let reason = match text.len() {
                few if few <= options.longer_than => "functions too short",
                many if many > options.at_most => "functions too long",
                _ if !seen.insert(bare(text)) => "functions seen before",
                _ => "functions kept",
            };
            *counts.entry(reason).or_default() += 1;
            if reason == "functions kept" {
                let comment = tree::comment_before(&lines, tag.line - 1);
                functions.push(Function { name: tag.name, line: tag.line, comment, text: text.join("\n") });
            }
        }
        if !functions.is_empty() {
            mined.push(Mined { path, licence: tree::licence(&lines), functions });
        }
    }
    mined
}

/// What two copies of a function have in common: its text without white space.
fn bare(lines: &[&str]) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in lines.iter().flat_map(|line| line.bytes()).filter(|byte| !byte.is_ascii_whitespace()) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    hash
}

/// Adds what went wrong to a message about a program.
fn with_program<T>(result: std::io::Result<T>) -> Result<T> {
    result.context("ctags could not be run")
}
