//! The kernel alone: its conformance tests and what its operations cost, with the programs of `tests/conformance`.

use crate::options::{Kernel, SystemOptions};
use crate::qemu::{Machine, Pc, Start};
use crate::sel4::{self, Sdk};
use crate::{bench, build, install, shell};
use anyhow::{Context, Result, ensure};
use board_description::{Board, Isa};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tools_sysgen::{BOARDS, Description, SearchPath, System, build_image};

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
/// Tests that the official kernel does not pass on a PC: it has no execute-never pages there; its budgets are measured
/// otherwise (docs/sel4.md).
const OFFICIAL_PC: [&str; 2] =
    ["execution of constants", "2 of 20 ms of budget are 5 to 10 percent of the time"];
/// Longest time for one system of tests, on a busy machine.
const LIMIT: Duration = Duration::from_secs(400);

/// The official release kernel's instructions for the rows of `bench.xml`, in their order, counted the same way.
const fn recorded(isa: Isa) -> [u64; 6] {
    match isa {
        Isa::Aarch64 => [733, 2479, 2485, 456, 1425, 1874],
        Isa::X86_64 => [759, 2823, 2926, 550, 1498, 2197],
    }
}

const SAME_PROGRAMS: &str = "measured now, with the same program files, by the SDK that MICROKIT_SDK names";
const OTHER_PROGRAMS: &str = "recorded with other programs; set MICROKIT_SDK to measure it with these";

/// Runs the conformance tests on each board: on one core with counted instructions, and on four cores.
///
/// # Errors
/// When a test fails or the run does not end.
pub fn conformance() -> Result<()> {
    for board in BOARDS {
        for (system, cores) in CONFORMANCE {
            let what = format!("the kernel on {}", board.name);
            judged(&machine(board, system, cores, cores == 1)?, &what, LIMIT, &[])?;
        }
    }
    let pc = board("x86_64_generic")?;
    let old = machine(&pc, "system", 1, true)?;
    judged(&Machine { pc: Pc::Pc, ..old }, "the kernel on QEMU's pc", LIMIT, &[])?;
    wrong_machines(&machine(&pc, "smp", 4, false)?)
}

/// Machines on which the system cannot run: one line that says what is missing.
fn wrong_machines(good: &Machine) -> Result<()> {
    let with_cpu = |cpu: &str| Machine { cpu: cpu.into(), ..good.clone() };
    let cases = [
        (with_cpu("qemu64,-sse2"), "this processor lacks sse2"),
        (with_cpu("max,-apic"), "this processor lacks apic"),
        (with_cpu("qemu32"), "this processor lacks long mode"),
        (Machine { cores: 1, ..good.clone() }, "1 cores, the system needs 4"),
    ];
    for (machine, said) in cases {
        let mut running = machine.start()?;
        running.wait_for(&format!("cloister: cannot start: {said}"), LIMIT)?;
        eprintln!("ok: a machine is refused with `{said}`");
    }
    Ok(())
}

fn board(name: &str) -> Result<Board> {
    tools_sysgen::board(name).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// The same tests with the same program files on the official kernel, which waits for all cores at each page that it
/// maps: with four emulated cores on few real ones that takes minutes.
///
/// # Errors
/// As [`conformance`], and without an SDK.
pub fn conformance_official(name: &str, cores: u32) -> Result<()> {
    for (system, _) in CONFORMANCE.iter().filter(|entry| entry.1 == cores) {
        let machine = official_machine(&board(name)?, system, cores, cores == 1)?;
        let known = if machine.isa == Isa::X86_64 { &OFFICIAL_PC[..] } else { &[] };
        judged(&machine, &format!("the official kernel on {name}"), LIMIT * cores, known)?;
    }
    Ok(())
}

/// Waits for the tests' verdict. Those named in `known` may fail, and no others.
fn judged(machine: &Machine, kernel: &str, limit: Duration, known: &[&str]) -> Result<()> {
    let mut running = machine.start()?;
    running.wait_for("conformance: start", limit)?;
    let lines = running.wait_for(" passed, ", limit)?;
    let failed = running.wait_for(" failed", limit)?;
    let passed = lines.rsplit(' ').next().unwrap_or_default();
    let named: Vec<&str> = lines.lines().filter_map(|line| line.trim().strip_prefix("FAIL ")).collect();
    let all_known = named.iter().all(|name| known.contains(name)) && failed.parse() == Ok(named.len());
    ensure!(all_known, "{failed} conformance tests failed:{lines}");
    eprintln!("ok: {passed} conformance tests of {kernel} on {} cores", machine.cores);
    for name in named {
        eprintln!("known: {kernel} differs in `{name}` (docs/sel4.md)");
    }
    Ok(())
}

/// Prints what the kernel's operations cost beside the official kernel's figures.
///
/// # Errors
/// When a system does not come up, or two runs differ by more than one percent.
pub fn bench_ipc(name: &str) -> Result<()> {
    let board = board(name)?;
    install::rust_targets(&[conformance_target(board.isa), build::soft_target(board.isa)])?;
    install::programs(&[install::qemu(board.isa)])?;
    let measure = |system, cores| rows(&machine(&board, system, cores, true)?);
    let (near, again, far) = (measure("bench", 1)?, measure("bench", 1)?, measure("bench_smp", 2)?);
    let official = measure_official(&board)?;
    println!("command: cargo xtask bench ipc --board {name}");
    println!("machine: {}", bench::machine()?);
    println!("counted: instructions (-icount shift=0,sleep=off), both sides' user code included");
    println!("official: {}", if official.is_some() { SAME_PROGRAMS } else { OTHER_PROGRAMS });
    println!("| operation | instructions | official kernel |");
    println!("|---|---|---|");
    for (index, (name, cost)) in near.iter().enumerate() {
        let repeated = again.get(index).map_or(0, |row| row.1);
        ensure!(cost.abs_diff(repeated) * 100 <= *cost, "{name}: {cost}, then {repeated}: not repeatable");
        let mark = official
            .as_ref()
            .map_or(recorded(board.isa).get(index).copied(), |rows| rows.get(index).map(|row| row.1));
        let official = mark.map_or_else(String::new, |cost| cost.to_string());
        println!("| {name} | {cost} | {official} |");
    }
    for (name, cost) in far {
        println!("| {name} | {cost} | |");
    }
    Ok(())
}

/// The rows that a bench system prints.
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
fn measure_official(board: &Board) -> Result<Option<Vec<(String, u64)>>> {
    if Sdk::root_from_environment().is_none() {
        return Ok(None);
    }
    rows(&official_machine(board, "bench", 1, true)?).map(Some)
}

/// `tests/conformance/SYSTEM.xml` with the official kernel, and the machine for it.
fn official_machine(board: &Board, system: &str, cores: u32, icount: bool) -> Result<Machine> {
    let ours = machine(board, system, cores, icount)?;
    let programs = shell::root().join("target/conformance").join(board.name);
    let folder = programs.join(format!("{system}-sel4"));
    std::fs::create_dir_all(&folder)?;
    let search = SearchPath(vec![programs]);
    let resolved = resolve(board, system, &search)?;
    std::fs::write(folder.join("resolved.system"), resolved.to_xml())?;
    let smp = u8::try_from(cores)?;
    let kernel = Kernel::Sel4;
    let options = SystemOptions { board: board.name.into(), kernel, smp, ..SystemOptions::standard() };
    let sdk = Sdk::for_options(&options)?;
    let image = sdk.image(&folder, &search, &resolved)?;
    Ok(Machine { image, start: sdk.start(), ram_mib: sel4::ram(&options, 0) >> 20, ..ours })
}

fn resolve(board: &Board, system: &str, search: &SearchPath) -> Result<System> {
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let folder = shell::root().join("tests/conformance");
    let mut description = Description::read(&folder.join(format!("{system}.xml"))).map_err(wrong)?;
    let overlay = folder.join(board.name).join(format!("{system}.xml"));
    if overlay.is_file() {
        description.read_overlay(&overlay).map_err(wrong)?;
    }
    description.resolve(board, search).map_err(wrong)
}

/// Builds `tests/conformance/SYSTEM.xml` into an image and the machine for it.
fn machine(board: &Board, system: &str, cores: u32, icount: bool) -> Result<Machine> {
    let folder = shell::root().join("target/conformance").join(board.name);
    std::fs::create_dir_all(&folder)?;
    let kernel = programs(&folder, board.isa)?;
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let search = SearchPath(vec![folder.clone()]);
    let resolved = resolve(board, system, &search)?;
    let image = build_image(&resolved, &search, &std::fs::read(kernel)?, board).map_err(wrong)?;
    let path = folder.join(format!("{system}.img"));
    std::fs::write(&path, image.file(board))?;
    Ok(Machine {
        isa: board.isa,
        image: path,
        start: Start::Kernel(String::new()),
        pc: Pc::Q35,
        disk: None,
        cores,
        ram_mib: board.machine_ram() >> 20,
        cpu: board.default_cpu.to_owned(),
        icount,
    })
}

/// The test programs use SIMD registers by hand only, where their target leaves them alone.
const fn conformance_target(isa: Isa) -> &'static str {
    match isa {
        Isa::Aarch64 => build::simd_target(isa),
        Isa::X86_64 => build::soft_target(isa),
    }
}

/// Builds the kernel and the test programs; the kernel's path.
pub fn programs(folder: &Path, isa: Isa) -> Result<PathBuf> {
    let (target, kernel) = (conformance_target(isa), build::soft_target(isa));
    build::package("tests-conformance", target)?;
    build::package("kernel", kernel)?;
    let built = shell::root().join("target");
    for program in PROGRAMS {
        let elf = built.join(target).join("image").join(program);
        std::fs::copy(elf, folder.join(format!("{program}.elf")))?;
    }
    Ok(built.join(kernel).join("image/kernel"))
}
