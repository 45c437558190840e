// SPDX-License-Identifier: MIT
//! Where the optional test data lies.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

/// The folder of shared test data: `CLOISTER_SHARED`, else `../shared` beside the repository. `None`, said aloud,
/// where it is absent; a failure where `CI` is set.
pub fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("CLOISTER_SHARED").map_or_else(beside, PathBuf::from);
    if root.join("tokenizers").is_dir() {
        return Some(root);
    }
    assert!(std::env::var_os("CI").is_none(), "test data not found at {}", root.display());
    println!("skipped: no test data at {} (set CLOISTER_SHARED)", root.display());
    None
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
