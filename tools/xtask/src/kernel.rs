//! The kernel alone: its conformance tests and what its operations cost, with the programs of `tests/conformance`.

use crate::options::{Kernel, SystemOptions};
use crate::qemu::{Machine, Start};
use crate::sel4::{self, Sdk};
use crate::{bench, build, install, shell};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tools_sysgen::{Description, SearchPath, System, board, build_image};

/// Programs of `tests/conformance`.
const PROGRAMS: [&str; 13] = [
    "judge",
    "client",
    "echo",
    "peer",
    "relay",
    "faulty",
    "spinner",
    "ticker",
    "vectors",
    "meter",
    "bench",
    "bench_server",
    "bench_pong",
];
/// Systems of tests, and the cores of each.
const CONFORMANCE: [(&str, u32); 2] = [("system", 1), ("smp", 4)];
/// Longest time for one system of tests, on a busy machine.
const LIMIT: Duration = Duration::from_secs(400);

/// The official release kernel's instructions for the rows of `bench.xml`, in their order, counted the same way.
const OFFICIAL: [u64; 6] = [733, 2479, 2485, 456, 1425, 1874];

const SAME_PROGRAMS: &str = "measured now, with the same program files, by the SDK that MICROKIT_SDK names";
const OTHER_PROGRAMS: &str = "recorded with other programs; set MICROKIT_SDK to measure it with these";

/// Runs the conformance tests: on one core with counted instructions, and on four cores.
///
/// # Errors
/// When a test fails or the run does not end.
pub fn conformance() -> Result<()> {
    for (system, cores) in CONFORMANCE {
        judged(&machine(system, cores, cores == 1)?, "the kernel", LIMIT)?;
    }
    Ok(())
}

/// The same tests with the same program files on the official kernel, which waits for all cores at each page that it
/// maps: with four emulated cores on few real ones that takes minutes.
///
/// # Errors
/// As [`conformance`], and without an SDK.
pub fn conformance_official(cores: u32) -> Result<()> {
    for (system, _) in CONFORMANCE.iter().filter(|entry| entry.1 == cores) {
        judged(&official_machine(system, cores, cores == 1)?, "the official kernel", LIMIT * cores)?;
    }
    Ok(())
}

fn judged(machine: &Machine, kernel: &str, limit: Duration) -> Result<()> {
    let mut running = machine.start()?;
    running.wait_for("conformance: start", limit)?;
    let lines = running.wait_for(" passed, ", limit)?;
    let failed = running.wait_for(" failed", limit)?;
    let passed = lines.rsplit(' ').next().unwrap_or_default();
    ensure!(failed == "0", "{failed} conformance tests failed:{lines}");
    eprintln!("ok: {passed} conformance tests of {kernel} on {} cores", machine.cores);
    Ok(())
}

/// Prints what the kernel's operations cost beside the official kernel's figures.
///
/// # Errors
/// When a system does not come up, or two runs differ by more than one percent.
pub fn bench_ipc() -> Result<()> {
    install::rust_targets(&[build::SIMD_TARGET, build::SOFT_TARGET])?;
    install::programs(&[install::QEMU_AARCH64])?;
    let (near, again, far) = (measure("bench", 1)?, measure("bench", 1)?, measure("bench_smp", 2)?);
    let official = measure_official()?;
    println!("command: cargo xtask bench ipc");
    println!("machine: {}", bench::machine()?);
    println!("counted: instructions (-icount shift=0,sleep=off), both sides' user code included");
    println!("official: {}", if official.is_some() { SAME_PROGRAMS } else { OTHER_PROGRAMS });
    println!("| operation | instructions | official kernel |");
    println!("|---|---|---|");
    for (index, (name, cost)) in near.iter().enumerate() {
        let repeated = again.get(index).map_or(0, |row| row.1);
        ensure!(cost.abs_diff(repeated) * 100 <= *cost, "{name}: {cost}, then {repeated}: not repeatable");
        let mark =
            official.as_ref().map_or(OFFICIAL.get(index).copied(), |rows| rows.get(index).map(|row| row.1));
        let official = mark.map_or_else(String::new, |cost| cost.to_string());
        println!("| {name} | {cost} | {official} |");
    }
    for (name, cost) in far {
        println!("| {name} | {cost} | |");
    }
    Ok(())
}

/// The rows that a bench system prints.
fn measure(system: &str, cores: u32) -> Result<Vec<(String, u64)>> {
    rows(&machine(system, cores, true)?)
}

fn rows(machine: &Machine) -> Result<Vec<(String, u64)>> {
    let mut running = machine.start()?;
    let text = running.wait_for("bench: end", LIMIT)?;
    text.lines().filter_map(|line| line.trim().strip_prefix("bench: ")).map(row).collect()
}

fn row(line: &str) -> Result<(String, u64)> {
    let (cost, name) = line.split_once(" ns ").with_context(|| format!("not a row: `{line}`"))?;
    Ok((name.trim().to_owned(), cost.parse()?))
}

/// The same programs on the official kernel, where an SDK is present.
fn measure_official() -> Result<Option<Vec<(String, u64)>>> {
    if Sdk::root_from_environment().is_none() {
        return Ok(None);
    }
    rows(&official_machine("bench", 1, true)?).map(Some)
}

/// `tests/conformance/SYSTEM.xml` with the official kernel, and the machine for it.
fn official_machine(system: &str, cores: u32, icount: bool) -> Result<Machine> {
    let ours = machine(system, cores, icount)?;
    let folder = shell::root().join("target/conformance").join(format!("{system}-sel4"));
    std::fs::create_dir_all(&folder)?;
    let search = SearchPath(vec![shell::root().join("target/conformance")]);
    let resolved = resolve(&format!("tests/conformance/{system}.xml"), &search)?;
    std::fs::write(folder.join("resolved.system"), resolved.to_xml())?;
    let smp = u8::try_from(cores)?;
    let sdk = Sdk::for_options(&SystemOptions { kernel: Kernel::Sel4, smp, ..SystemOptions::standard() })?;
    let image = sdk.image(&folder, &search, &resolved)?;
    Ok(Machine { image, start: Start::Loader, ram_mib: sel4::RAM >> 20, ..ours })
}

fn resolve(description: &str, search: &SearchPath) -> Result<System> {
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let board = board("qemu_virt_aarch64").map_err(wrong)?;
    let read = Description::read(&shell::root().join(description));
    read.and_then(|read| read.resolve(&board, search)).map_err(wrong)
}

/// Builds `tests/conformance/SYSTEM.xml` into an image and the machine for it.
fn machine(system: &str, cores: u32, icount: bool) -> Result<Machine> {
    let folder = shell::root().join("target/conformance");
    std::fs::create_dir_all(&folder)?;
    let kernel = programs(&folder)?;
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let board = board("qemu_virt_aarch64").map_err(wrong)?;
    let search = SearchPath(vec![folder.clone()]);
    let resolved = resolve(&format!("tests/conformance/{system}.xml"), &search)?;
    let image = build_image(&resolved, &search, &std::fs::read(kernel)?, &board).map_err(wrong)?;
    let path = folder.join(format!("{system}.img"));
    std::fs::write(&path, &image.bytes)?;
    let cpu = board.default_cpu.to_owned();
    Ok(Machine {
        image: path,
        start: Start::Kernel,
        disk: None,
        cores,
        ram_mib: board.ram.size >> 20,
        cpu,
        icount,
    })
}

/// Builds the kernel and the test programs; the kernel's path.
pub fn programs(folder: &Path) -> Result<PathBuf> {
    build::package("tests-conformance", build::SIMD_TARGET)?;
    build::package("kernel", build::SOFT_TARGET)?;
    let built = shell::root().join("target");
    for program in PROGRAMS {
        let elf = built.join(build::SIMD_TARGET).join("image").join(program);
        std::fs::copy(elf, folder.join(format!("{program}.elf")))?;
    }
    Ok(built.join(build::SOFT_TARGET).join("image/kernel"))
}
