//! The rules of the architecture that a compiler does not check: who may depend on whom, where `unsafe` and
//! instruction sets may appear.

use crate::{shell, tcb};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// `(crates whose name starts with this, prefixes of workspace crates they may depend on)`, first match counts.
const MAY_DEPEND: [(&str, &[&str]); 13] = [
    ("memory-", &["memory-"]),
    ("ipc-abi", &[]),
    ("ipc-ring", &["memory-"]),
    ("ipc-protocol", &[]),
    ("ipc-", &["memory-", "ipc-"]),
    ("drivers-", &["memory-", "drivers-"]),
    ("inference-", &["inference-"]),
    ("retrieval", &["inference-"]),
    ("training", &["inference-", "training"]),
    ("board-", &["board-"]),
    ("kernel", &["kernel", "memory-", "ipc-abi", "board-"]),
    ("pds-", &["memory-", "ipc-", "drivers-", "inference-", "retrieval", "training"]),
    ("t", &[""]),
];

/// Folders in which `unsafe` may be written; everywhere else a crate forbids it.
const UNSAFE_HOMES: [&str; 9] = [
    "kernel/arch/",
    "kernel/src/",
    "board/",
    "memory/",
    "ipc/pd/",
    "inference/kernels/",
    "drivers/virtio_blk/",
    "drivers/arm_timer/",
    "tests/",
];

/// Folders in which code may ask for the instruction set.
const ISA_HOMES: [&str; 6] = ["/arch/", "board/", "ipc/pd/src/backend/", "kernel/src/", "tools/", "tests/"];

/// Checks all rules and names everything that breaks one.
///
/// # Errors
/// When something does.
pub fn all() -> Result<()> {
    let mut broken = dependencies()?;
    for file in rust_files(&shell::root())? {
        broken.extend(source(&file)?);
    }
    for line in &broken {
        eprintln!("{line}");
    }
    ensure!(broken.is_empty(), "{} rules of docs/architecture.md are broken, see above", broken.len());
    tcb::check()?;
    println!("check: dependencies, `unsafe` and instruction sets are where they belong");
    Ok(())
}

fn dependencies() -> Result<Vec<String>> {
    let text = shell::output(&mut shell::cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_DEPEND.iter().find(|(prefix, _)| name.starts_with(prefix)) else {
            broken.push(format!(
                "{name}: no rule says what it may depend on; add one to tools/xtask/src/check.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let tests_only = dependency["kind"].as_str() == Some("dev");
            let fine =
                !names.contains(&on) || tests_only || allowed.iter().any(|prefix| on.starts_with(prefix));
            if !fine {
                broken.push(format!(
                    "{name} depends on {on}: dependencies point one way (docs/architecture.md)"
                ));
            }
        }
    }
    Ok(broken)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = shell::output(shell::git(&["ls-files", "*.rs"]).current_dir(folder))?;
    Ok(listed.lines().map(|line| folder.join(line)).filter(|path| path.exists()).collect())
}

fn source(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    let name = file.strip_prefix(shell::root()).unwrap_or(file).display().to_string();
    let mut broken = Vec::new();
    let crate_root = name.ends_with("src/lib.rs") || name.ends_with("src/main.rs");
    let may_unsafe = UNSAFE_HOMES.iter().any(|home| name.starts_with(home));
    if crate_root && !may_unsafe && !text.contains("#![forbid(unsafe_code)]") {
        broken.push(format!("{name}: add #![forbid(unsafe_code)]"));
    }
    let may_isa = ISA_HOMES.iter().any(|home| name.contains(home));
    let isa =
        text.lines().position(|line| line.contains("target_arch") && !line.trim_start().starts_with("//"));
    if let Some(line) = isa.filter(|_| !may_isa) {
        broken.push(format!(
            "{name}:{}: instruction sets belong into arch/, board/ or ipc/pd's backend",
            line + 1
        ));
    }
    Ok(broken)
}
