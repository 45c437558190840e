//! `cargo xtask tcb`: how much code each protection domain and the kernel consist of, and how much of it is `unsafe`.
//!
//! Counted is what is linked: the crate itself, the workspace's crates and those of others below it. Not counted:
//! Rust's own `core` and `alloc`, the compiler, build scripts and procedural macros.

mod attribute;
mod cfg;
mod count;
mod packages;
mod source;

use crate::{build, shell};
use anyhow::{Context, Result, ensure};
use count::Count;
use packages::{Linked, Package};
use serde_json::json;
use std::collections::BTreeMap;

const DOCUMENT: &str = "docs/threat-model.md";
const BEGIN: &str = "<!-- begin: cargo xtask tcb --write -->\n";
const END: &str = "<!-- end -->\n";

/// How the figures are given.
#[derive(clap::Args)]
pub struct Options {
    /// As JSON, with every crate
    #[arg(long)]
    json: bool,
    /// Put the table into docs/threat-model.md
    #[arg(long, conflicts_with = "json")]
    write: bool,
}

/// A protection domain, or the kernel.
struct Part {
    name: &'static str,
    crates: Vec<Crate>,
}

struct Crate {
    package: String,
    third_party: bool,
    count: Count,
}

impl Part {
    fn sum(&self, third_party: bool) -> Count {
        let mut sum = Count::default();
        self.crates.iter().filter(|one| one.third_party == third_party).for_each(|one| sum += one.count);
        sum
    }

    fn row(&self) -> Row {
        let (own, others) = (self.sum(false), self.sum(true));
        let crates = self.crates.iter().filter(|one| one.third_party).count();
        Row {
            name: self.name.into(),
            figures: [own.lines, own.unsafes(), others.lines, others.unsafes(), crates],
        }
    }
}

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    figures: [usize; 5],
}

/// Counts and says what was counted.
///
/// # Errors
/// When cargo fails or a source cannot be read.
pub fn run(options: &Options) -> Result<()> {
    let parts = parts()?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&parts))?);
    } else if options.write {
        write(&table(&parts))?;
    } else {
        print!("{}", table(&parts));
    }
    Ok(())
}

/// Refuses a table in the threat model that is not of this code: a figure is off by more than a tenth.
///
/// # Errors
/// Names the first figure that is.
pub fn check() -> Result<()> {
    let stored = rows(&document()?.1);
    let fresh = parts()?.iter().map(Part::row).collect::<Vec<_>>();
    compare(&stored, &fresh).with_context(|| format!("{DOCUMENT} is out of date: cargo xtask tcb --write"))
}

fn compare(stored: &[Row], fresh: &[Row]) -> Result<()> {
    let names = |rows: &[Row]| rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    ensure!(names(stored) == names(fresh), "the table has {:?}, there are {:?}", names(stored), names(fresh));
    for (old, new) in stored.iter().zip(fresh) {
        let close = |(a, b): (&usize, &usize)| a.abs_diff(*b) <= 5 + (*a).max(*b) / 10;
        let same = old.figures.iter().zip(&new.figures).all(close);
        ensure!(same, "{} has {:?}, the table says {:?}", new.name, new.figures, old.figures);
    }
    Ok(())
}

fn parts() -> Result<Vec<Part>> {
    let sources = packages::all(build::SIMD_TARGET)?;
    let mut known = BTreeMap::new();
    let mut parts = vec![part("kernel", "kernel", false, &sources, &mut known)?];
    for program in &build::PROGRAMS {
        parts.push(part(program.name, &format!("pds-{}", program.name), program.simd, &sources, &mut known)?);
    }
    Ok(parts)
}

fn part(
    name: &'static str,
    package: &str,
    simd: bool,
    sources: &BTreeMap<String, Package>,
    known: &mut BTreeMap<Linked, Count>,
) -> Result<Part> {
    let target = if simd { build::SIMD_TARGET } else { build::SOFT_TARGET };
    let mut crates = Vec::new();
    for linked in packages::linked(package, target, simd)? {
        let source = sources.get(&linked.package);
        let source = source.with_context(|| format!("cargo metadata knows no package {}", linked.package))?;
        let count = match known.get(&linked) {
            Some(count) => *count,
            None => *known.entry(linked.clone()).or_insert(count(source, &linked)?),
        };
        crates.push(Crate { package: linked.package, third_party: source.third_party, count });
    }
    Ok(Part { name, crates })
}

fn count(source: &Package, linked: &Linked) -> Result<Count> {
    let mut sum = Count::default();
    for root in &source.roots {
        sum += source::count(root, &linked.cfg).with_context(|| linked.package.clone())?;
    }
    Ok(sum)
}

/// The table as Markdown.
fn table(parts: &[Part]) -> String {
    let mut text = String::from(
        "| part | own lines | own `unsafe` | others' lines | others' `unsafe` | others' crates |\n|---|---:|---:|---:|---:|---:|\n",
    );
    for Row { name, figures: [own, own_unsafe, others, others_unsafe, crates] } in parts.iter().map(Part::row)
    {
        text += &format!("| {name} | {own} | {own_unsafe} | {others} | {others_unsafe} | {crates} |\n");
    }
    text
}

/// The rows of a table.
fn rows(table: &str) -> Vec<Row> {
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).filter(|cell| !cell.is_empty());
        let name = cells.next()?.to_owned();
        let figures: Vec<usize> = cells.map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Row { name, figures: figures.try_into().ok()? })
    };
    table.lines().filter_map(row).collect()
}

/// The document before the table, the table, and what follows.
fn document() -> Result<(String, String, String)> {
    let text = std::fs::read_to_string(shell::root().join(DOCUMENT))?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{DOCUMENT} has no line {BEGIN}"))?;
    let (table, after) = rest.split_once(END).with_context(|| format!("{DOCUMENT} has no line {END}"))?;
    Ok((before.into(), table.into(), after.into()))
}

fn write(table: &str) -> Result<()> {
    let (before, _, after) = document()?;
    std::fs::write(shell::root().join(DOCUMENT), format!("{before}{BEGIN}{table}{END}{after}"))?;
    eprintln!("wrote {DOCUMENT}");
    Ok(())
}

fn as_json(parts: &[Part]) -> serde_json::Value {
    let count = |count: Count| {
        json!({"lines": count.lines, "unsafe_blocks": count.blocks, "unsafe_functions": count.functions,
               "unsafe_others": count.others})
    };
    let part = |part: &Part| {
        let one = |one: &Crate| json!({"crate": one.package, "third_party": one.third_party, "count": count(one.count)});
        json!({"name": part.name, "own": count(part.sum(false)), "third_party": count(part.sum(true)),
               "crates": part.crates.iter().map(one).collect::<Vec<_>>()})
    };
    json!({"parts": parts.iter().map(part).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_back_and_a_figure_that_is_off_by_more_than_a_tenth_is_found() {
        let crates = |lines| {
            let count = Count { lines, blocks: 2, functions: 1, others: 0 };
            vec![Crate { package: "a 1".into(), third_party: false, count }]
        };
        let part = |lines| [Part { name: "kernel", crates: crates(lines) }];
        let row = |lines| [part(lines)[0].row()];
        assert_eq!(rows(&table(&part(1000))), row(1000));
        assert!(compare(&row(1000), &row(1090)).is_ok());
        let error = compare(&row(1000), &row(1200)).unwrap_err().to_string();
        assert!(error.contains("kernel") && error.contains("1200"), "{error}");
        assert!(compare(&[], &row(1)).is_err());
    }
}
