//! `cargo xtask test`: everything that must hold, in the order in which it fails fastest.

use crate::{
    cd, check, containment, data, install, kernel, learning, official, pc, processors, retrieval, shell,
    signed, transcripts,
};
use anyhow::{Context, Result};
use board_description::Isa;
use shell::Job;
use std::process::Command;
use std::time::Instant;

/// One step of the test run.
struct Step {
    name: &'static str,
    /// Skipped where there is no shared test data.
    shared: bool,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 18] = [
    Step { name: "install what is missing", shared: false, run: install },
    Step { name: "format", shared: false, run: format },
    Step { name: "rules of the architecture", shared: false, run: check::all },
    Step { name: "lints", shared: false, run: lint },
    Step { name: "tests on the host", shared: false, run: host },
    Step { name: "ring under every interleaving (loom)", shared: false, run: loom },
    Step { name: "kernel conformance in QEMU", shared: false, run: kernel::conformance },
    Step { name: "systems in QEMU", shared: false, run: transcripts::all },
    Step { name: "arithmetic of AArch64's processors in QEMU", shared: false, run: processors::all },
    Step { name: "PCs in QEMU", shared: false, run: pc::all },
    Step { name: "CD image by BIOS and UEFI", shared: false, run: cd::all },
    Step { name: "documents and power cuts in QEMU", shared: false, run: retrieval::all },
    Step { name: "learning on the device in QEMU", shared: false, run: learning::all },
    Step { name: "signed models in QEMU", shared: true, run: signed::all },
    Step { name: "containment of faults", shared: true, run: containment::test },
    Step { name: "erasure: a canary in all of RAM", shared: true, run: containment::erasure },
    Step { name: "killed in the middle of an answer", shared: true, run: containment::recovery },
    Step { name: "the official kernel, where there is an SDK", shared: false, run: official::all },
];

/// What a whole run writes into `target/`, in GiB.
const NEEDED: f64 = 6.0;

/// Runs all steps whose name contains `filter`.
///
/// # Errors
/// The first step that fails.
pub fn all(filter: &str) -> Result<()> {
    let steps: Vec<&Step> = STEPS.iter().filter(|step| step.name.contains(filter)).collect();
    anyhow::ensure!(!steps.is_empty(), "no step is called '{filter}'; they are: {}", names());
    warn_of_little_room();
    let mut skipped = 0;
    for (number, step) in steps.iter().enumerate() {
        eprintln!("=== {}/{} {}", number + 1, steps.len(), step.name);
        let start = Instant::now();
        if step.shared && data::shared_or_skip(step.name)?.is_none() {
            skipped += 1;
            continue;
        }
        (step.run)().with_context(|| format!("step '{}' failed", step.name))?;
        eprintln!("=== {} took {:.0} s", step.name, start.elapsed().as_secs_f64());
    }
    println!("{} passed, 0 failed, {skipped} skipped", steps.len() - skipped);
    Ok(())
}

fn names() -> String {
    STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", ")
}

/// A disk that is too full ends in errors of compilers and linkers that do not name it.
fn warn_of_little_room() {
    let Ok(table) = shell::output(Command::new("df").arg("-Pk").arg(shell::root())) else { return };
    let free = table.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<f64>().ok());
    if let Some(free) = free.map(|kib| kib / f64::from(1 << 20)).filter(|free| *free < NEEDED) {
        eprintln!(
            "warning: {free:.1} GiB are free where target/ lies; a whole run from a clean checkout writes {NEEDED} GiB"
        );
    }
}

fn install() -> Result<()> {
    install::rust_targets(&crate::build::targets())?;
    install::programs(&[install::qemu(Isa::Aarch64), install::qemu(Isa::X86_64)])
}

fn format() -> Result<()> {
    Job::new(shell::cargo(&["fmt", "--all", "--check"])).run()
}

fn lint() -> Result<()> {
    Job::new(shell::cargo(&[
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
    .run()
}

fn host() -> Result<()> {
    Job::new(shell::cargo(&["test", "--locked", "--workspace", "--release"])).run()
}

fn loom() -> Result<()> {
    let mut command =
        shell::cargo(&["test", "--quiet", "--locked", "--release", "-p", "ipc-ring", "--test", "loom"]);
    command.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", shell::root().join("target/loom"));
    Job::new(command).run()
}
