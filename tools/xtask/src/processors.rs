//! The arithmetic of AArch64 on processors that QEMU emulates: the tests of `inference-kernels` against the scalar
//! definitions as programs of Linux, and a conversation with the booted system.
//!
//! QEMU writes down every instruction that it translates to run it, so what was chosen is not only said but seen. Words
//! are compared, not names: not every disassembler knows them.

use crate::data::{self, Golden};
use crate::options::SystemOptions;
use crate::script::{self, ask, expect, passed, words};
use crate::shell::{self, Job};
use crate::{install, transcripts};
use anyhow::{Context, Result, ensure};
use board_description::Isa;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs of this target need no library of the machine's.
const TARGET: &str = "aarch64-unknown-linux-musl";
const EMULATOR: install::Program = install::Program { name: "qemu-aarch64", package: "qemu-user" };

/// `sdot` and `smmla` on whole vectors of bytes, without their registers.
const SDOT: u32 = 0x4e80_9400;
const SMMLA: u32 = 0x4e80_a400;
const WITHOUT_REGISTERS: u32 = 0xffe0_fc00;

/// A processor, the arithmetic that must be chosen on it, and which products it must have run.
struct Processor {
    cpu: &'static str,
    arithmetic: &'static str,
    sdot: bool,
    smmla: bool,
}

const PROCESSORS: [Processor; 3] = [
    Processor { cpu: "max", arithmetic: "neon+i8mm", sdot: true, smmla: true },
    Processor { cpu: "cortex-a76", arithmetic: "neon+dotprod", sdot: true, smmla: false },
    Processor { cpu: "cortex-a53", arithmetic: "neon", sdot: false, smmla: false },
];

/// Runs all of them on each processor.
///
/// # Errors
/// The first that fails.
pub fn all() -> Result<()> {
    install::rust_targets(&[TARGET])?;
    install::programs(&[EMULATOR, install::qemu(Isa::Aarch64)])?;
    let program = test_program()?;
    for processor in &PROCESSORS {
        let log = log(&format!("{}-tests", processor.cpu))?;
        against_the_definition(&program, processor.cpu, &log)?;
        // The tests run every path that the processor has; that it has the best one is what counts here.
        let seen = Seen::read(&log)?;
        ensure!(seen.sdot == processor.sdot && seen.smmla == processor.smmla, "{}: {seen:?}", processor.cpu);
        passed(&format!("{}: all paths give the bits of the scalar definition; {seen:?}", processor.cpu));
    }
    let Some(shared) = data::shared_or_skip("conversations on AArch64's processors")? else { return Ok(()) };
    PROCESSORS.iter().try_for_each(|processor| conversation(&shared, processor))
}

/// The tests' program.
fn test_program() -> Result<PathBuf> {
    let mut command = shell::cargo(&["test", "--quiet", "--locked", "--release", "--target", TARGET]);
    command.args(["-p", "inference-kernels", "--test", "paths", "--no-run", "--message-format=json"]);
    command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
    let messages = shell::output(&mut command)?;
    let programs = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program =
        programs.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    program.context("cargo names no test program")
}

fn against_the_definition(program: &Path, cpu: &str, log: &Path) -> Result<()> {
    let mut command = Command::new(EMULATOR.name);
    command.args(["-cpu", cpu, "-d", "in_asm", "-D"]).arg(log).arg(program);
    Job::new(command).quiet().run()
}

/// The golden text on the booted system, and which instructions gave it.
fn conversation(shared: &Path, processor: &Processor) -> Result<()> {
    const NAME: &str = "stories260K-q8_0";
    let (golden, cpu) = (Golden::read(shared, NAME)?, processor.cpu);
    let options = SystemOptions { cpu: Some(cpu.into()), ..SystemOptions::standard() };
    let machine = transcripts::machine(Some(&data::story(shared, NAME)), options, cpu)?;
    let log = log(&format!("{cpu}-system"))?;
    let log_options = ["-d", "in_asm", "-D", &log.display().to_string()].map(str::to_owned);
    let mut running = script::boot_with(&machine, &log_options)?;
    let limit = format!("/set num_predict {}", golden.steps);
    for line in ["/set temperature 0", "/set verbose", &limit] {
        ask(&mut running, line)?;
    }
    let answer = words(&ask(&mut running, &golden.prompt)?);
    drop(running);
    expect(&answer, &[&words(&golden.text), &format!("arithmetic: {} ", processor.arithmetic)])?;
    let seen = Seen::read(&log)?;
    ensure!(seen.sdot == processor.sdot && seen.smmla == processor.smmla, "{cpu}: {seen:?}");
    std::fs::remove_file(log)?;
    passed(&format!("{cpu}: the golden text; arithmetic: {}; {seen:?}", processor.arithmetic));
    Ok(())
}

fn log(name: &str) -> Result<PathBuf> {
    let folder = shell::root().join("target/test");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{name}.log")))
}

/// Which products QEMU translated.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    sdot: bool,
    smmla: bool,
}

impl Seen {
    fn read(log: &Path) -> Result<Self> {
        let text = std::fs::read(log).with_context(|| format!("{}", log.display()))?;
        Self::in_text(&String::from_utf8_lossy(&text)).with_context(|| format!("{}", log.display()))
    }

    fn in_text(log: &str) -> Result<Self> {
        ensure!(log.lines().any(|line| instruction(line).is_some()), "QEMU wrote down no instructions");
        let mut seen = Self::default();
        for word in log.lines().filter_map(instruction) {
            seen.sdot |= word & WITHOUT_REGISTERS == SDOT;
            seen.smmla |= word & WITHOUT_REGISTERS == SMMLA;
        }
        Ok(seen)
    }
}

/// The word of a line `0xADDRESS:  WORD  name`.
fn instruction(line: &str) -> Option<u32> {
    let (address, rest) = line.strip_prefix("0x")?.split_once(':')?;
    u64::from_str_radix(address, 16).ok()?;
    u32::from_str_radix(rest.split_whitespace().next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read_from_the_log_by_their_words() {
        let smmla = instruction("0x002510d0:  4e82a420  .byte    0x20, 0xa4, 0x82, 0x4e").unwrap();
        assert_eq!(smmla & WITHOUT_REGISTERS, SMMLA);
        assert_eq!(instruction("IN: _start_c"), None);
        assert_eq!(instruction("0xff: not a word"), None);
    }

    #[test]
    fn a_log_without_instructions_proves_nothing() {
        assert!(Seen::in_text("IN: x\n").is_err());
        let seen = Seen::in_text("IN: x\n0x00001000:  4e829420  sdot\n").unwrap();
        assert_eq!(seen, Seen { sdot: true, smmla: false });
    }
}
