//! The optional test data beside the repository: models, and what llama.cpp says with them.

use crate::shell;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The folder of the data, where it is there: `CLOISTER_SHARED`, else `../shared` beside the repository.
pub fn shared() -> Option<PathBuf> {
    let path =
        std::env::var_os("CLOISTER_SHARED").map_or_else(|| shell::root().join("../shared"), PathBuf::from);
    path.join("golden").is_dir().then_some(path)
}

/// As [`shared`]; without it a test says what it skips.
///
/// # Errors
/// Where `CI` is set, so that nothing is skipped there unseen.
pub fn shared_or_skip(what: &str) -> Result<Option<PathBuf>> {
    let found = shared();
    if found.is_none() {
        ensure!(std::env::var_os("CI").is_none(), "{what}: the shared test data is missing, and CI is set");
        eprintln!("skipped: {what}; ../shared is not there, and CLOISTER_SHARED names no other folder");
    }
    Ok(found)
}

/// As [`shared`], for what cannot be done without it.
///
/// # Errors
/// When it is not there.
pub fn shared_or_fail() -> Result<PathBuf> {
    shared().context("the shared test data is missing; set CLOISTER_SHARED to its folder")
}

/// A story model of the data.
pub fn story(shared: &Path, name: &str) -> PathBuf {
    shared.join(format!("models/stories/{name}.gguf"))
}

/// What a model says to a prompt, greedily.
pub struct Golden {
    /// What is typed.
    pub prompt: String,
    /// The whole answer.
    pub text: String,
    /// Tokens of the answer.
    pub steps: usize,
}

impl Golden {
    /// The first case of a model's golden file.
    ///
    /// # Errors
    /// When the file cannot be read or is not complete.
    pub fn read(shared: &Path, name: &str) -> Result<Self> {
        let path = shared.join(format!("golden/{name}.json"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let json: serde_json::Value = serde_json::from_str(&text)?;
        let case = &json["cases"][0];
        let words = |field: &str| {
            let value = case[field].as_str().map(str::to_owned);
            value.with_context(|| format!("{}: the first case has no {field}", path.display()))
        };
        let steps = case["steps"].as_array().map_or(0, Vec::len);
        Ok(Self { prompt: words("prompt")?, text: words("text")?, steps })
    }
}
