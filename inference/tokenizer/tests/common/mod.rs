// SPDX-License-Identifier: MIT
//! Reading the optional test data.

use std::path::Path;

pub use tests_fixtures::shared;

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
