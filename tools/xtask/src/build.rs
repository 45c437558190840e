//! Building the kernel and the protection domains for a board.

use crate::shell::{self, Job};
use anyhow::Result;
use std::path::PathBuf;

/// A PD's program: which package, which binary, and whether it uses SIMD registers.
pub struct Program {
    /// Name in `<program_image path="NAME.elf">`.
    pub name: &'static str,
    /// Whether it is built with hardware floating point.
    pub simd: bool,
}

/// Every program of the system description.
pub const PROGRAMS: [Program; 9] = [
    Program { name: "guardian", simd: false },
    Program { name: "supervisor", simd: false },
    Program { name: "timer", simd: false },
    Program { name: "console", simd: false },
    Program { name: "storage", simd: false },
    Program { name: "retriever", simd: true },
    Program { name: "session", simd: true },
    Program { name: "loader", simd: true },
    Program { name: "compute", simd: true },
];

/// Target of PDs that use SIMD registers.
pub const SIMD_TARGET: &str = "aarch64-unknown-none";
/// Target of the kernel and of PDs without.
pub const SOFT_TARGET: &str = "aarch64-unknown-none-softfloat";

/// What programs are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be used.
    Release,
    /// To fail on order: with the runtime's feature `fault-injection`.
    Faults,
}

impl Purpose {
    /// Where built programs lie: the search path of the image builder.
    pub fn folder(self) -> PathBuf {
        shell::root().join(match self {
            Self::Release => "target/programs",
            Self::Faults => "target/programs-faults",
        })
    }

    fn features(self) -> &'static str {
        match self {
            Self::Release => "image",
            Self::Faults => "image,ipc-pd/fault-injection",
        }
    }
}

/// Where release programs lie.
pub fn program_folder() -> PathBuf {
    Purpose::Release.folder()
}

/// Builds all PDs; the programs are gathered in the purpose's folder as `NAME.elf`. They are the same for every kernel.
///
/// # Errors
/// When cargo fails.
pub fn programs(purpose: Purpose) -> Result<()> {
    std::fs::create_dir_all(purpose.folder())?;
    for (done, program) in PROGRAMS.iter().enumerate() {
        progress(done, &format!("pds/{}", program.name));
        let target = if program.simd { SIMD_TARGET } else { SOFT_TARGET };
        with_features(&format!("pds-{}", program.name), target, purpose.features())?;
        let elf = shell::root().join("target").join(target).join("image").join(program.name);
        let copy = purpose.folder().join(format!("{}.elf", program.name));
        copy_if_changed(&elf, &copy)?;
    }
    Ok(())
}

/// Builds our kernel; returns its ELF.
///
/// # Errors
/// When cargo fails.
pub fn kernel() -> Result<PathBuf> {
    progress(PROGRAMS.len(), "kernel");
    package("kernel", SOFT_TARGET)?;
    Ok(shell::root().join("target").join(SOFT_TARGET).join("image/kernel"))
}

fn progress(done: usize, what: &str) {
    eprintln!("[{}/{}] building {what}", done + 1, PROGRAMS.len() + 1);
}

/// Builds one package as it goes into an image.
///
/// # Errors
/// When cargo fails.
pub fn package(package: &str, target: &str) -> Result<()> {
    with_features(package, target, "image")
}

fn with_features(package: &str, target: &str, features: &str) -> Result<()> {
    let mut command = shell::cargo(&["build", "--quiet", "--locked", "--profile", "image", "-p", package]);
    command.args(["--features", features, "--target", target]);
    Job::new(command).run()
}

fn copy_if_changed(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let new = std::fs::read(from)?;
    if std::fs::read(to).ok().as_deref() != Some(&new) {
        std::fs::write(to, new)?;
    }
    Ok(())
}
