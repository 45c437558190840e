//! Systems that are not Cloister's: `--system FILE` packs and starts any Microkit description with any PDs.
//!
//! One design rule: nothing of Cloister is added, no platform page, no disk, no program; what the description does not
//! say is not in the image. Either kernel gets the same resolved description.
//! Limits: those of `tools/sysgen`, which refuses what no kernel of ours runs.

use crate::options::{Kernel, SystemOptions};
use crate::qemu::{Machine, Start};
use crate::sel4::{self, Sdk};
use crate::system::{Built, pack_ours};
use crate::{build, shell};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use tools_sysgen::{Description, SearchPath, System};

/// Packs the description at `file`.
///
/// # Errors
/// What is wrong with the description, its programs or the options.
pub fn prepare(file: &Path, options: &SystemOptions) -> Result<Built> {
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let board = tools_sysgen::board(&options.board).map_err(wrong)?;
    let official = options.kernel == Kernel::Sel4;
    let sdk = official.then(|| Sdk::for_options(options)).transpose()?;
    let ram = if official { sel4::ram(options, 0) } else { options.ram.unwrap_or(board.machine_ram()) };
    let board = board.with_ram(ram);
    let search = search_path(file, options)?;
    let system = Description::read(file).and_then(|read| read.resolve(&board, &search)).map_err(wrong)?;
    enough_cores(&system, options.smp)?;
    let folder = folder(file, options)?;
    std::fs::write(folder.join("resolved.system"), system.to_xml())?;
    let (image, start) = match sdk {
        Some(sdk) => (sdk.image(&folder, &search, &system)?, sdk.start()),
        None => {
            let image = pack_ours(&folder, &build::kernel(board.isa)?, &system, &search, &board)?;
            (image, Start::Kernel(options.append.clone()))
        }
    };
    let machine = Machine {
        isa: board.isa,
        image,
        start,
        pc: options.machine,
        disk: options.disk.clone(),
        cores: options.smp.into(),
        ram_mib: ram >> 20,
        cpu: options.cpu(&board).to_owned(),
        icount: options.icount,
    };
    Ok(Built { machine, folder, system })
}

/// The folders given, or the description's own; absolute, since the SDK's tool runs elsewhere.
fn search_path(file: &Path, options: &SystemOptions) -> Result<SearchPath> {
    let absolute = |path: &Path| {
        let absolute = std::path::absolute(path);
        absolute.with_context(|| format!("{}: is not a path", path.display()))
    };
    let own = absolute(file)?.parent().map(Path::to_path_buf);
    let given = options.search_path.iter().map(|path| absolute(path));
    let folders: Vec<PathBuf> = given.collect::<Result<_>>()?;
    Ok(SearchPath(if folders.is_empty() { own.into_iter().collect() } else { folders }))
}

fn enough_cores(system: &System, cores: u8) -> Result<()> {
    let Some(last) = system.pds.iter().max_by_key(|pd| pd.cpu) else { return Ok(()) };
    ensure!(
        last.cpu < cores,
        "--smp {cores}: '{}' is on core {}; give --smp {}",
        last.name,
        last.cpu,
        u16::from(last.cpu) + 1
    );
    Ok(())
}

/// Where image, report and resolved description go.
fn folder(file: &Path, options: &SystemOptions) -> Result<PathBuf> {
    let name = file.file_stem().with_context(|| format!("--system {}: is not a file", file.display()))?;
    let kernel = if options.kernel == Kernel::Sel4 { "-sel4" } else { "" };
    let name = format!("{}-{}{kernel}-smp{}", options.board, name.to_string_lossy(), options.smp);
    let folder = shell::root().join("target/image").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kernel: Kernel) -> SystemOptions {
        SystemOptions { kernel, ..SystemOptions::standard() }
    }

    #[test]
    fn programs_are_looked_for_beside_the_description_unless_folders_are_given() {
        let file = Path::new("/somewhere/hello.system");
        let found = search_path(file, &options(Kernel::Cloister)).unwrap();
        assert_eq!(found.0, [Path::new("/somewhere")]);
        let given = SystemOptions { search_path: vec!["/a".into(), "b".into()], ..options(Kernel::Cloister) };
        let found = search_path(file, &given).unwrap();
        assert!(found.0.len() == 2 && found.0[0] == Path::new("/a") && found.0[1].is_absolute());
    }

    #[test]
    fn a_core_that_the_machine_lacks_is_refused_by_name() {
        let board = tools_sysgen::board("qemu_virt_aarch64").unwrap();
        let file = shell::root().join("tests/conformance/smp.xml");
        let search = SearchPath(Vec::new());
        let system = Description::read(&file).unwrap().resolve(&board, &search).unwrap();
        assert!(enough_cores(&system, 4).is_ok());
        let said = enough_cores(&system, 2).unwrap_err().to_string();
        assert!(said.contains("core 3") && said.contains("--smp 4"), "{said}");
    }

    #[test]
    fn each_description_kernel_and_number_of_cores_has_its_own_folder() {
        let file = Path::new("hello.system");
        let ours = folder(file, &options(Kernel::Cloister)).unwrap();
        let official = folder(file, &options(Kernel::Sel4)).unwrap();
        assert!(ours != official && ours.ends_with("qemu_virt_aarch64-hello-smp1"), "{}", ours.display());
    }
}
