//! Running other programs: what was run is named when it fails.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command to be run to its end.
pub struct Job {
    command: Command,
    quiet: bool,
}

impl Job {
    /// Its output is shown.
    pub fn new(command: Command) -> Self {
        Self { command, quiet: false }
    }

    /// Its output is shown only when it fails.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Runs it.
    ///
    /// # Errors
    /// When it cannot be started or fails; the error names the command.
    pub fn run(mut self) -> Result<()> {
        let shown = show(&self.command);
        if self.quiet {
            let output = self
                .command
                .stdin(Stdio::null())
                .output()
                .with_context(|| format!("cannot start `{shown}`"))?;
            if !output.status.success() {
                eprint!(
                    "{}{}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                );
                bail!("`{shown}` failed: {}", output.status);
            }
            return Ok(());
        }
        let status = self.command.status().with_context(|| format!("cannot start `{shown}`"))?;
        if !status.success() {
            bail!("`{shown}` failed: {status}");
        }
        Ok(())
    }
}

/// A command as a person would type it.
pub fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// What a command prints on its standard output.
///
/// # Errors
/// When it cannot be started or fails.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is on the PATH.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

/// A cargo command in the repository's root.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// A git command in the repository's root.
pub fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(root()).args(arguments);
    command
}
