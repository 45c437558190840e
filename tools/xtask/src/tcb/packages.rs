//! Which crates a program is linked from, and where their sources lie: cargo says so.

use super::cfg::Cfg;
use crate::shell;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A crate as one program has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Linked {
    /// Name and version, as cargo writes them.
    pub package: String,
    /// Its features in that program.
    pub cfg: Cfg,
}

/// A package's sources.
#[derive(Clone, Debug)]
pub struct Package {
    /// Whether it comes from a registry.
    pub third_party: bool,
    /// Roots of the library and of programs.
    pub roots: Vec<PathBuf>,
}

/// The crates of a package built for an image, itself included; what only runs while it is built is left out.
///
/// # Errors
/// When cargo fails.
pub fn linked(package: &str, target: &str, simd: bool) -> Result<Vec<Linked>> {
    let mut command = shell::cargo(&["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]);
    command.args(["-e", "normal,no-proc-macro", "-p", package, "--features", "image", "--target", target]);
    let text = shell::output(&mut command)?;
    let mut all: Vec<Linked> = text.lines().filter_map(|line| entry(line, simd)).collect();
    all.sort();
    all.dedup();
    Ok(all)
}

/// "name v1.2.3 (/path)|feature,other (*)".
fn entry(line: &str, simd: bool) -> Option<Linked> {
    let (package, features) = line.trim_end_matches(" (*)").split_once('|')?;
    let mut words = package.split(' ');
    let package = format!("{} {}", words.next()?, words.next()?.trim_start_matches('v'));
    let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect();
    Some(Linked { package, cfg: Cfg { features, simd } })
}

/// All packages by name and version.
///
/// # Errors
/// When cargo fails.
pub fn all(target: &str) -> Result<BTreeMap<String, Package>> {
    let arguments =
        ["metadata", "--locked", "--all-features", "--format-version", "1", "--filter-platform", target];
    let metadata: Value = serde_json::from_str(&shell::output(&mut shell::cargo(&arguments))?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    Ok(packages.iter().filter_map(package).collect())
}

fn package(value: &Value) -> Option<(String, Package)> {
    let name = format!("{} {}", value["name"].as_str()?, value["version"].as_str()?);
    let third_party = !value["source"].is_null();
    let is_root = |target: &&Value| {
        let kinds = target["kind"].as_array().into_iter().flatten().filter_map(Value::as_str);
        kinds.into_iter().any(|kind| matches!(kind, "lib" | "rlib") || (kind == "bin" && !third_party))
    };
    let targets = value["targets"].as_array()?.iter().filter(is_root);
    let roots = targets.filter_map(|target| target["src_path"].as_str()).map(PathBuf::from).collect();
    Some((name, Package { third_party, roots }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cargo_s_tree_names_a_crate_and_its_features() {
        let linked = entry("heapless v0.9.3|serde,ufmt (*)", true).unwrap();
        assert_eq!(linked.package, "heapless 0.9.3");
        assert_eq!(linked.cfg.features, ["serde".to_owned(), "ufmt".to_owned()].into());
        assert_eq!(entry("ipc-pd v0.1.0 (/a b/ipc/pd)|", true).unwrap().package, "ipc-pd 0.1.0");
        assert_eq!(entry("", true), None);
    }
}
