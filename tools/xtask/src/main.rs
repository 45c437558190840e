//! `cargo xtask`: every job of the project is one command that a person can run.
#![forbid(unsafe_code)]
fn main() -> anyhow::Result<()> {
    let status = std::process::Command::new("cargo").args(["test", "--workspace"]).status()?;
    anyhow::ensure!(status.success(), "cargo test failed");
    Ok(())
}
