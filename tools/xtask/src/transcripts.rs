//! Whole systems in QEMU: what a person would type, and what must come back.

use crate::data::{self, Golden};
use crate::options::{Kernel, SystemOptions};
use crate::qemu::{Machine, Running};
use crate::script::{self, PROMPT, ask, expect, passed, words};
use crate::{disk, install, shell, system};
use anyhow::{Result, ensure};
use board_description::Isa;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tools_sysgen::BOARDS;

/// Runs every transcript test; those that need the shared test data are skipped without it.
///
/// # Errors
/// The first one that fails, with the end of its transcript.
pub fn all() -> Result<()> {
    install::programs(&[install::qemu(Isa::Aarch64), install::qemu(Isa::X86_64)])?;
    for board in BOARDS {
        without_a_disk(board.name)?;
        too_little_ram(board.name)?;
    }
    let Some(shared) = data::shared_or_skip("conversations with the story models")? else { return Ok(()) };
    for board in BOARDS {
        let options = |smp| SystemOptions { board: board.name.into(), smp, ..SystemOptions::standard() };
        golden(&shared, "stories260K-q8_0", options(1))?;
        golden(&shared, "stories260K-f32", options(2))?;
        golden(&shared, "stories3M-q8_0", options(1))?;
        golden(&shared, "stories3M-q4_0", options(4))?;
    }
    bad_models(&shared)
}

/// The same conversation on the official kernel.
///
/// # Errors
/// As [`all`].
pub fn official(board: &str, cores: u8) -> Result<()> {
    let Some(shared) = data::shared_or_skip("a conversation on the official kernel")? else { return Ok(()) };
    let (board, kernel) = (board.into(), Kernel::Sel4);
    let options = SystemOptions { board, kernel, smp: cores, ..SystemOptions::standard() };
    golden(&shared, "stories260K-q8_0", options)
}

/// A machine with its own disk in the test folder.
///
/// # Errors
/// What is wrong with the options or the sources.
pub fn machine(model: Option<&Path>, options: SystemOptions, name: &str) -> Result<Machine> {
    let options =
        SystemOptions { model: model.map(PathBuf::from), disk: Some(disk::fresh(name)?), ..options };
    Ok(system::prepare(&options)?.machine)
}

/// No disk: a message that says what to do, and a prompt.
fn without_a_disk(board: &str) -> Result<()> {
    let options = SystemOptions { board: board.into(), no_disk: true, ..SystemOptions::standard() };
    let machine = system::prepare(&options)?.machine;
    let mut running = script::boot(&machine)?;
    let answer = ask(&mut running, "hello there")?;
    expect(&answer, &["no model"])?;
    let status = ask(&mut running, "status")?;
    expect(
        &status,
        &["console", "session", "compute", "loader", "storage", "timer", "supervisor", "retriever"],
    )?;
    expect(&ask(&mut running, "help")?, &["/load", "/bye"])?;
    expect(&ask(&mut running, "/statsu")?, &["did you mean status"])?;
    running.type_bytes(b"exit\r")?;
    running.wait_for(script::FAREWELL, Duration::from_secs(30))?;
    passed(&format!("without a disk on {board}"));
    Ok(())
}

/// Less RAM than the system needs: one line that says how much, on each board.
fn too_little_ram(board: &str) -> Result<()> {
    let options = SystemOptions { board: board.into(), no_disk: true, ..SystemOptions::standard() };
    let machine = Machine { ram_mib: 64, ..system::prepare(&options)?.machine };
    machine.start()?.wait_for("of RAM, the system needs", Duration::from_secs(60))?;
    passed(&format!("too little RAM on {board}"));
    Ok(())
}

/// The golden text, greedily, and the commands around it.
fn golden(shared: &Path, name: &str, options: SystemOptions) -> Result<()> {
    let (board, kernel, smp) = (options.board.clone(), options.kernel, options.smp);
    let golden = Golden::read(shared, name)?;
    let model = data::story(shared, name);
    let mut running = script::boot(&machine(Some(&model), options, &format!("{name}-{smp}"))?)?;
    expect(&ask(&mut running, "/set temperature 0")?, &["0"])?;
    ask(&mut running, &format!("/set num_predict {}", golden.steps))?;
    let answer = ask(&mut running, &golden.prompt)?;
    expect(&words(&answer), &[&words(&golden.text), "Generation"])?;
    stop_with_ctrl_c(&mut running)?;
    expect(&ask(&mut running, "/clear")?, &[])?;
    expect(&ask(&mut running, "mem")?, &["weights"])?;
    passed(&format!("{name} on {smp} cores of {board} under {kernel:?} gives the golden text"));
    Ok(())
}

fn stop_with_ctrl_c(running: &mut Running) -> Result<()> {
    ask(running, "/set num_predict 100000")?;
    running.type_bytes(b"Tell me a long story\r")?;
    running.wait_for("story", Duration::from_secs(60))?;
    running.wait_for(" ", Duration::from_secs(60))?;
    running.type_bytes(b"\x03")?;
    running.wait_for(PROMPT, Duration::from_secs(60))?;
    Ok(())
}

/// Files that are not models: a message that names what is wrong, and the prompt comes back.
fn bad_models(shared: &Path) -> Result<()> {
    let good = std::fs::read(data::story(shared, "stories260K-q8_0"))?;
    let folder = shell::root().join("target/test/models");
    std::fs::create_dir_all(&folder)?;
    let cases: [(&str, Vec<u8>, &str); 3] = [
        ("truncated", good[..good.len() / 2].to_vec(), "truncated"),
        ("random", (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), "GGUF"),
        ("empty", Vec::new(), "empty"),
    ];
    for (name, bytes, said) in cases {
        let path = folder.join(format!("{name}.gguf"));
        std::fs::write(&path, bytes)?;
        let mut running = script::boot(&machine(Some(&path), SystemOptions::standard(), name)?)?;
        let answer = ask(&mut running, "hello there")?;
        let whole = String::from_utf8_lossy(&running.transcript).into_owned();
        ensure!(whole.to_lowercase().contains(&said.to_lowercase()), "`{said}` is missing in:\n{whole}");
        expect(&answer, &["no model"])?;
        passed(&format!("a {name} model is refused with a message"));
    }
    disk::forget()
}
