//! Building the kernel and the protection domains for a board.

use crate::shell::{self, Job};
use anyhow::Result;
use board_description::Isa;
use std::path::PathBuf;

/// A PD's program: which package, which binary, and whether it uses SIMD registers.
pub struct Program {
    /// Name in `<program_image path="NAME.elf">`.
    pub name: &'static str,
    /// Whether it is built with hardware floating point.
    pub simd: bool,
}

/// Every program of the system description.
pub const PROGRAMS: [Program; 10] = [
    Program { name: "guardian", simd: false },
    Program { name: "supervisor", simd: false },
    Program { name: "timer", simd: false },
    Program { name: "console", simd: false },
    Program { name: "storage", simd: false },
    Program { name: "retriever", simd: true },
    Program { name: "session", simd: true },
    Program { name: "loader", simd: true },
    Program { name: "compute", simd: true },
    Program { name: "trainer", simd: true },
];

/// Target of PDs that use SIMD registers.
pub const fn simd_target(isa: Isa) -> &'static str {
    match isa {
        Isa::Aarch64 => "aarch64-unknown-none",
        // The bare-metal target has no SIMD registers at all, so these programs are for Linux's, without its library.
        Isa::X86_64 => "x86_64-unknown-linux-gnu",
    }
}

/// Target of the kernel and of PDs without.
pub const fn soft_target(isa: Isa) -> &'static str {
    match isa {
        Isa::Aarch64 => "aarch64-unknown-none-softfloat",
        Isa::X86_64 => "x86_64-unknown-none",
    }
}

/// [`simd_target`] of the board that is the default.
pub const SIMD_TARGET: &str = simd_target(Isa::Aarch64);
/// [`soft_target`] of the board that is the default.
pub const SOFT_TARGET: &str = soft_target(Isa::Aarch64);

/// All targets, to be installed.
pub fn targets() -> [&'static str; 4] {
    [SIMD_TARGET, SOFT_TARGET, simd_target(Isa::X86_64), soft_target(Isa::X86_64)]
}

/// What cargo's configuration cannot say of the target of PDs with SIMD on x86-64, because it is the host's as well.
const HOSTED_FLAGS: [&str; 8] = [
    "--cfg=cloister_pd",
    "--cfg=sha2_backend=\"soft\"",
    "-Crelocation-model=static",
    "-Clinker=rust-lld",
    "-Clinker-flavor=ld.lld",
    "-Clink-arg=-zmax-page-size=4096",
    "-Clink-arg=-zseparate-loadable-segments",
    "-Clink-arg=-static",
];

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
    pub fn folder(self, isa: Isa) -> PathBuf {
        shell::root().join(match (self, isa) {
            (Self::Release, Isa::Aarch64) => "target/programs",
            (Self::Faults, Isa::Aarch64) => "target/programs-faults",
            (Self::Release, Isa::X86_64) => "target/programs-x86_64",
            (Self::Faults, Isa::X86_64) => "target/programs-x86_64-faults",
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
pub fn program_folder(isa: Isa) -> PathBuf {
    Purpose::Release.folder(isa)
}

/// Builds all PDs; the programs are gathered in the purpose's folder as `NAME.elf`. They are the same for every kernel.
///
/// # Errors
/// When cargo fails.
pub fn programs(purpose: Purpose, isa: Isa) -> Result<()> {
    let folder = purpose.folder(isa);
    std::fs::create_dir_all(&folder)?;
    for (done, program) in PROGRAMS.iter().enumerate() {
        progress(done, &format!("pds/{}", program.name));
        let target = if program.simd { simd_target(isa) } else { soft_target(isa) };
        with_features(&format!("pds-{}", program.name), target, purpose.features())?;
        let elf = shell::root().join("target").join(target).join("image").join(program.name);
        let copy = folder.join(format!("{}.elf", program.name));
        copy_if_changed(&elf, &copy)?;
    }
    Ok(())
}

/// Builds our kernel; returns its ELF.
///
/// # Errors
/// When cargo fails.
pub fn kernel(isa: Isa) -> Result<PathBuf> {
    progress(PROGRAMS.len(), "kernel");
    package("kernel", soft_target(isa))?;
    Ok(shell::root().join("target").join(soft_target(isa)).join("image/kernel"))
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
    if target == simd_target(Isa::X86_64) {
        command.env("CARGO_ENCODED_RUSTFLAGS", HOSTED_FLAGS.join("\x1f"));
    }
    Job::new(command).run()
}

fn copy_if_changed(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let new = std::fs::read(from)?;
    if std::fs::read(to).ok().as_deref() != Some(&new) {
        std::fs::write(to, new)?;
    }
    Ok(())
}
