//! What only PCs have: processors with and without AVX2, the older machine, RAM above 4 GiB, boot options.
//!
//! QEMU emulates AVX2 but not AVX-512; which instructions are chosen on such processors is tested on the host
//! (`inference/kernels/src/arch/x86_64/processor.rs`).

use crate::data::{self, Golden};
use crate::options::SystemOptions;
use crate::qemu::{Machine, Pc, Start};
use crate::script::{self, ask, expect, passed, words};
use crate::{install, system, transcripts};
use anyhow::Result;
use board_description::Isa;
use std::path::Path;
use std::time::Duration;

/// The board.
const BOARD: &str = "x86_64_generic";
/// Processors, and the instructions that compute must choose on them.
const PROCESSORS: [(&str, &str); 3] = [("max", "avx2"), ("max,-avx2", "generic"), ("Nehalem", "generic")];
const LIMIT: Duration = Duration::from_secs(120);

/// A plain system of this board.
pub fn standard() -> SystemOptions {
    SystemOptions { board: BOARD.into(), ..SystemOptions::standard() }
}

/// Runs all of them.
///
/// # Errors
/// The first that fails.
pub fn all() -> Result<()> {
    install::programs(&[install::qemu(Isa::X86_64)])?;
    let plain = system::prepare(&SystemOptions { no_disk: true, ..standard() })?.machine;
    boot_options(&plain)?;
    let Some(shared) = data::shared_or_skip("conversations on PCs")? else { return Ok(()) };
    for (cpu, arithmetic) in PROCESSORS {
        let options = SystemOptions { cpu: Some(cpu.into()), ..standard() };
        conversation(&shared, options, &format!("{cpu}: "), &format!("arithmetic: {arithmetic}"))?;
    }
    let old = |smp| SystemOptions { machine: Pc::Pc, smp, ..standard() };
    conversation(&shared, old(1), "QEMU's pc: ", "")?;
    conversation(&shared, old(3), "QEMU's pc, 3 cores: ", "")?;
    conversation(&shared, SystemOptions { ram: Some(5 << 30), ..standard() }, "5 GiB of RAM: ", "")
}

/// The golden text with all figures, of which `figure` must be one.
fn conversation(shared: &Path, options: SystemOptions, what: &str, figure: &str) -> Result<()> {
    const NAME: &str = "stories260K-q8_0";
    let golden = Golden::read(shared, NAME)?;
    let machine = transcripts::machine(Some(&data::story(shared, NAME)), options, "pc")?;
    let mut running = script::boot(&machine)?;
    let limit = format!("/set num_predict {}", golden.steps);
    for line in ["/set temperature 0", "/set verbose", &limit] {
        ask(&mut running, line)?;
    }
    let answer = words(&ask(&mut running, &golden.prompt)?);
    expect(&answer, &[&words(&golden.text), figure])?;
    passed(&format!("{what}the golden text; {figure}"));
    Ok(())
}

/// What the kernel can be asked for by QEMU's `-append` as by GRUB.
fn boot_options(plain: &Machine) -> Result<()> {
    let with = |words: &str| Machine { start: Start::Kernel(words.into()), ..plain.clone() };
    let mut running = with("verbose nonsense").start()?;
    running.wait_for("boot option `nonsense` is not known", LIMIT)?;
    running.wait_for("started by PVH", LIMIT)?;
    running.wait_for("protection domain compute: core 0", LIMIT)?;
    running.wait_for(script::PROMPT, LIMIT)?;
    passed("the boot option verbose tells of the start, an unknown one is named");
    with("memtest").start()?.wait_for("4 patterns, 0 errors", LIMIT)?;
    passed("the boot option memtest walks the RAM that starts empty");
    Ok(())
}
