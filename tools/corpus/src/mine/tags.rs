// SPDX-License-Identifier: MIT
//! Functions as universal-ctags finds them.

use super::with_program;
use anyhow::{Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Kinds that languages have for functions.
const KINDS: [&str; 6] = ["function", "method", "procedure", "subroutine", "func", "member function"];

/// A function's place: lines from 1, the last one included.
pub struct Tag {
    pub name: String,
    pub line: usize,
    pub end: usize,
}

/// A line of ctags' JSON.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    line: usize,
    #[serde(default)]
    end: usize,
}

/// Makes sure that universal-ctags with JSON is there.
///
/// # Errors
/// Says what to install; with `install` when apt fails.
pub fn program(install: bool) -> Result<()> {
    const MISSING: &str = "universal-ctags is missing: install it (Debian: apt-get install universal-ctags), or \
        give --install";
    if usable() {
        return Ok(());
    }
    ensure!(install, "{MISSING}");
    eprintln!("installing the Debian package universal-ctags");
    let mut command = Command::new("apt-get");
    command.args(["install", "-y", "-q", "--no-install-recommends", "universal-ctags"]);
    match command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status() {
        Ok(status) if status.success() && usable() => Ok(()),
        _ => bail!("apt-get could not install universal-ctags: install it by hand, as root"),
    }
}

/// Whether the `ctags` on the PATH is the universal one, with JSON.
fn usable() -> bool {
    let output = Command::new("ctags").arg("--list-features").output();
    output.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout);
        output.status.success() && text.lines().any(|line| line.starts_with("json"))
    })
}

/// The functions of the files `paths` of `tree`, by file.
///
/// # Errors
/// When ctags fails.
pub fn functions(tree: &Path, paths: &[&Path]) -> Result<BTreeMap<PathBuf, Vec<Tag>>> {
    let mut command = Command::new("ctags");
    command.args([
        "--options=NONE",
        "--quiet",
        "--links=no",
        "--output-format=json",
        "--fields=+neK",
        "-L",
        "-",
        "-f",
        "-",
    ]);
    command.current_dir(tree).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = with_program(command.spawn())?;
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(path.as_os_str().as_encoded_bytes());
        list.push(b'\n');
    }
    let input = child.stdin.take();
    let writer = std::thread::spawn(move || input.map_or(Ok(()), |mut input| input.write_all(&list)));
    let output = with_program(child.wait_with_output())?;
    ensure!(output.status.success(), "ctags failed ({})", output.status);
    ensure!(matches!(writer.join(), Ok(Ok(()))), "ctags did not read the list of files");
    let mut found: BTreeMap<PathBuf, Vec<Tag>> = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        // A name may hold bytes that are no text: such a line is no function that can be used.
        let Ok(Line { name, path, kind, line, end }) = serde_json::from_slice(line) else { continue };
        if KINDS.contains(&kind.as_str()) && line > 0 && end >= line {
            found.entry(PathBuf::from(path)).or_default().push(Tag { name, line, end });
        }
    }
    found.values_mut().for_each(|tags| tags.sort_by_key(|tag| tag.line));
    Ok(found)
}
