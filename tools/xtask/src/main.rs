//! `cargo xtask`: every job of the project is one command that a person can run.
#![forbid(unsafe_code)]

mod build;
mod check;
mod install;
mod qemu;
mod script;
mod shell;

fn main() -> anyhow::Result<()> {
    check::all()?;
    let status = std::process::Command::new("cargo").args(["test", "--workspace"]).status()?;
    anyhow::ensure!(status.success(), "cargo test failed");
    Ok(())
}
