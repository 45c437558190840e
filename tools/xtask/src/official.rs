//! The same system on the official kernel, where `MICROKIT_SDK` names an SDK: same programs, same reading of the
//! description, same conversations.

use crate::options::{Kernel, SystemOptions};
use crate::sel4::{DOWNLOADS, Sdk, VERSION};
use crate::{build, capdl, kernel, oracle, pages, shell, system, transcripts};
use anyhow::{Context, Result};
use board_description::Isa;
use std::collections::BTreeMap;
use tools_sysgen::{Description, SearchPath, board};

/// Runs everything; without an SDK nothing, and says so.
///
/// # Errors
/// The first difference.
pub fn all() -> Result<()> {
    if Sdk::root_from_environment().is_none() {
        eprintln!(
            "skipped: the official kernel; get the seL4 Microkit SDK {VERSION} from {DOWNLOADS} and set MICROKIT_SDK \
             to its folder"
        );
        return Ok(());
    }
    kernel::conformance_official("x86_64_generic", 1)?;
    transcripts::official("x86_64_generic", 1)?;
    recorded()?;
    programs()?;
    for (board, cores) in [("qemu_virt_aarch64", 1), ("qemu_virt_aarch64", 4)] {
        kernel::conformance_official(board, cores.into())?;
        transcripts::official(board, cores)?;
    }
    Ok(())
}

/// The SDK's tool still says what `tests/oracle/system.json` records of it.
fn recorded() -> Result<()> {
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let folder = shell::root().join("target/oracle");
    std::fs::create_dir_all(&folder)?;
    kernel::programs(&folder, Isa::Aarch64)?;
    let search = SearchPath(vec![folder.clone()]);
    let description = Description::read(&shell::root().join("tests/oracle/system.xml")).map_err(wrong)?;
    let system = description.resolve(&board("qemu_virt_aarch64").map_err(wrong)?, &search).map_err(wrong)?;
    std::fs::write(folder.join("resolved.system"), system.to_xml())?;
    let options = SystemOptions { kernel: Kernel::Sel4, smp: 4, ..SystemOptions::standard() };
    Sdk::for_options(&options)?.image(&folder, &search, &system)?;
    let facts = capdl::facts(&std::fs::read_to_string(folder.join("capdl.json"))?)?;
    let fresh = folder.join("system.json");
    std::fs::write(&fresh, serde_json::to_string_pretty(&facts)? + "\n")?;
    let old = std::fs::read_to_string(shell::root().join("tests/oracle/system.json"))
        .unwrap_or_else(|_| "[]".into());
    oracle::compare(&serde_json::from_str::<Vec<String>>(&old)?.into_iter().collect(), &facts)
        .with_context(|| format!("tests/oracle/system.json is out of date; {} is fresh", fresh.display()))?;
    eprintln!("ok: {} facts of the official tool are as recorded", facts.len());
    Ok(())
}

/// Both kernels' images are made of the same program files.
fn programs() -> Result<()> {
    let image = |kernel| -> Result<Vec<u8>> {
        let options = SystemOptions { kernel, no_disk: true, ..SystemOptions::standard() };
        Ok(std::fs::read(system::prepare(&options)?.machine.image)?)
    };
    let (ours, official) = (image(Kernel::Cloister)?, image(Kernel::Sel4)?);
    let read = |program: &build::Program| {
        let file = build::program_folder(Isa::Aarch64).join(format!("{}.elf", program.name));
        Ok((program.name.to_owned(), std::fs::read(file)?))
    };
    let files: BTreeMap<_, _> = build::PROGRAMS.iter().map(read).collect::<Result<_>>()?;
    let pages = pages::same(&files, &ours, &official)?;
    eprintln!("ok: {pages} pages of {} programs are the same bytes in both kernels' images", files.len());
    Ok(())
}
