//! What a fresh machine lacks: the pinned toolchain's targets and Debian packages. Named first, then installed, once.

use crate::shell::{self, Job};
use anyhow::{Context, Result, bail};
use board_description::Isa;
use std::process::Command;

/// Makes sure that the pinned toolchain can build for `targets`.
///
/// # Errors
/// When the toolchain has no rustup, or rustup fails; says what to type instead.
pub fn rust_targets(targets: &[&str]) -> Result<()> {
    let sysroot = shell::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let installed =
        |target: &&str| std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(target).exists();
    let missing: Vec<&str> = targets.iter().filter(|t| !installed(t)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing Rust targets: {}", missing.join(" "));
    let mut command = Command::new("rustup");
    command.args(["target", "add"]).args(&missing);
    Job::new(command).run().with_context(|| {
        format!(
            "the Rust toolchain lacks {0}: install rustup, then type `rustup target add {0}`",
            missing.join(" ")
        )
    })
}

/// A program that a Debian package brings.
pub struct Program {
    /// Name on the PATH.
    pub name: &'static str,
    /// Debian package.
    pub package: &'static str,
}

/// QEMU for an instruction set.
pub const fn qemu(isa: Isa) -> Program {
    match isa {
        Isa::Aarch64 => Program { name: "qemu-system-aarch64", package: "qemu-system-arm" },
        Isa::X86_64 => Program { name: "qemu-system-x86_64", package: "qemu-system-x86" },
    }
}

/// Makes sure that programs are there, by apt where they are not.
///
/// # Errors
/// Without apt, or when apt fails; says what to install by hand.
pub fn programs(programs: &[Program]) -> Result<()> {
    let missing: Vec<&str> = programs.iter().filter(|p| !shell::on_path(p.name)).map(|p| p.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !shell::on_path("apt-get") {
        bail!(
            "this machine lacks {0} and has no apt-get: install {0} and run the command again",
            missing.join(", ")
        );
    }
    eprintln!("installing Debian packages: {}", missing.join(" "));
    apt(&["update"])?;
    let mut plain = vec!["install", "-y", "--no-install-recommends"];
    plain.extend(&missing);
    if apt(&plain).is_ok() {
        return Ok(());
    }
    // Where other QEMU packages come from backports, the plain version conflicts with them.
    let mut backports = vec!["install", "-y", "--no-install-recommends", "-t", "bookworm-backports"];
    backports.extend(&missing);
    apt(&backports)
        .with_context(|| format!("apt could not install {}: install it by hand", missing.join(", ")))
}

fn apt(arguments: &[&str]) -> Result<()> {
    let root = shell::output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        command.arg("apt-get");
    }
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(arguments);
    Job::new(command).quiet().run()
}
