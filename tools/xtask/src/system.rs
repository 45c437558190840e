//! From options to a machine that can be started: description, platform page, image, disk.

use crate::build::Purpose;
use crate::options::{Kernel, SystemOptions};
use crate::qemu::{Machine, Start};
use crate::sel4::{self, Sdk};
use crate::{build, containment, disk, foreign, policy, regions, shell};
use anyhow::{Context, Result, bail};
use board_description::{Board, Isa};
use ipc_protocol::Name;
use ipc_protocol::platform::{PdFacts, Platform, REGION};
use std::path::{Path, PathBuf};
use tools_sysgen::{Description, SearchPath, System, build_image};

const MIB: u64 = 1 << 20;
/// RAM of a machine that nothing was said about.
const DEFAULT_RAM: u64 = 320 * MIB;

/// What was built.
pub struct Built {
    /// Ready to start.
    pub machine: Machine,
    /// The folder with image, report and resolved description.
    pub folder: PathBuf,
    /// What the image holds.
    pub system: System,
}

/// Builds everything and prepares the disk.
///
/// # Errors
/// What is wrong with the options, the sources or the model file.
pub fn prepare(options: &SystemOptions) -> Result<Built> {
    if let Some(file) = &options.system {
        return foreign::prepare(file, options);
    }
    let board = board(options)?;
    let model = options.model.as_deref().map(model_size).transpose()?.unwrap_or(0);
    let (ram, kernel) = match options.kernel {
        Kernel::Cloister => (options.ram.unwrap_or_else(|| ram_for(options, model)), KernelImage::Ours),
        Kernel::Sel4 => (sel4::ram(options, model), KernelImage::Official(Sdk::for_options(options)?)),
    };
    build::programs(purpose(options), board.isa)?;
    let folder = folder(options);
    std::fs::create_dir_all(&folder)?;
    let draft = Draft { options, board: board.with_ram(ram), model, folder: &folder };
    let ((image, system), start) = match kernel {
        KernelImage::Ours => (draft.ours(&build::kernel(board.isa)?)?, Start::Kernel(options.append.clone())),
        KernelImage::Official(sdk) => (draft.official(&sdk)?, sdk.start()),
    };
    let machine = Machine {
        isa: board.isa,
        image,
        start,
        pc: options.machine,
        disk: disk::prepare(options)?,
        cores: options.smp.into(),
        ram_mib: ram / MIB,
        cpu: options.cpu(&board).to_owned(),
        icount: options.icount,
    };
    Ok(Built { machine, folder, system })
}

/// The board that the options name.
///
/// # Errors
/// When there is none of this name.
pub fn board(options: &SystemOptions) -> Result<Board> {
    tools_sysgen::board(&options.board).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// Whose kernel goes into the image.
enum KernelImage {
    Ours,
    Official(Sdk),
}

/// Where image, report and resolved description of these options go.
fn folder(options: &SystemOptions) -> PathBuf {
    let kernel = if options.kernel == Kernel::Sel4 { "-sel4" } else { "" };
    let faults = if options.faults { "-faults" } else { "" };
    shell::root().join("target/image").join(format!("{}{kernel}-smp{}{faults}", options.board, options.smp))
}

fn purpose(options: &SystemOptions) -> Purpose {
    if options.faults { Purpose::Faults } else { Purpose::Release }
}

fn model_size(path: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(path);
    let metadata = metadata.with_context(|| format!("--model {}: there is no such file", path.display()))?;
    if !metadata.is_file() {
        bail!("--model {}: is not a file; name a .gguf file", path.display());
    }
    Ok(metadata.len())
}

/// What a further core's worker has of its own: outbox, heap, stack.
const WORKER: u64 = 4 * MIB;

/// RAM of a machine of ours for a model of so many bytes.
pub fn ram_for(options: &SystemOptions, model: u64) -> u64 {
    let weights = weights_for(model).saturating_sub(64 * MIB);
    let heap = retriever_heap(options).unwrap_or(0);
    let workers = u64::from(options.smp.saturating_sub(1)) * WORKER;
    (DEFAULT_RAM + weights + heap + workers).next_multiple_of(64 * MIB)
}

/// Heap of the retriever, where more passages are wanted than the description's has room for.
fn retriever_heap(options: &SystemOptions) -> Option<u64> {
    let bytes = retrieval::memory::heap_for(options.passages? as usize) as u64;
    Some(bytes.next_multiple_of(2 * MIB))
}

/// Two models of up to 32 MiB fit the default; a larger one gets what it needs.
fn weights_for(model: u64) -> u64 {
    (64 * MIB).max(model.next_multiple_of(2 * MIB) + 2 * MIB)
}

fn describe(options: &SystemOptions, model: u64) -> Result<Description> {
    let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
    let mut description = Description::read(&shell::root().join("system.xml")).map_err(wrong)?;
    let board = shell::root().join("board").join(&options.board);
    let official = Some("sel4.xml").filter(|_| options.kernel == Kernel::Sel4);
    for overlay in ["overlay.xml"].into_iter().chain(official).map(|name| board.join(name)) {
        if overlay.is_file() {
            description.read_overlay(&overlay).map_err(wrong)?;
        }
    }
    description.limit_cores(options.smp);
    description.set_region_size("weights", weights_for(model)).map_err(wrong)?;
    if let Some(heap) = retriever_heap(options) {
        description.set_region_size("retriever_heap", heap).map_err(wrong)?;
    }
    if options.faults {
        containment::add_orders(&mut description).map_err(wrong)?;
    }
    Ok(description)
}

/// A system whose kernel is still to be chosen.
struct Draft<'a> {
    options: &'a SystemOptions,
    board: Board,
    model: u64,
    folder: &'a Path,
}

impl Draft<'_> {
    /// The description with its platform page, as every kernel gets it.
    fn resolve(&self, kernel: &Path) -> Result<(System, SearchPath)> {
        let wrong = |problems: tools_sysgen::Problems| anyhow::anyhow!("{problems}");
        let search =
            SearchPath(vec![self.folder.to_path_buf(), purpose(self.options).folder(self.board.isa)]);
        let mut description = describe(self.options, self.model)?;
        let draft = description.clone().resolve(&self.board, &search).map_err(wrong)?;
        let page = platform_page(self.options, &self.board, &draft, kernel)?;
        std::fs::write(self.folder.join("platform.bin"), page)?;
        description.set_prefill("platform", "platform.bin").map_err(wrong)?;
        std::fs::write(self.folder.join("model_policy.bin"), policy::page(self.options)?)?;
        description.set_prefill("model_policy", "model_policy.bin").map_err(wrong)?;
        let system = description.resolve(&self.board, &search).map_err(wrong)?;
        std::fs::write(self.folder.join("resolved.system"), system.to_xml())?;
        Ok((system, search))
    }

    fn ours(&self, kernel: &Path) -> Result<(PathBuf, System)> {
        let (system, search) = self.resolve(kernel)?;
        Ok((pack_ours(self.folder, kernel, &system, &search, &self.board)?, system))
    }

    fn official(&self, sdk: &Sdk) -> Result<(PathBuf, System)> {
        let (system, search) = self.resolve(&sdk.kernel())?;
        Ok((sdk.image(self.folder, &search, &system)?, system))
    }
}

/// Packs a system with our kernel; writes image and report into `folder`.
///
/// # Errors
/// What is wrong with a program, or does not fit.
pub fn pack_ours(
    folder: &Path,
    kernel: &Path,
    system: &System,
    search: &SearchPath,
    board: &Board,
) -> Result<PathBuf> {
    let image = build_image(system, search, &std::fs::read(kernel)?, board);
    let image = image.map_err(|problems| anyhow::anyhow!("{problems}"))?;
    std::fs::write(folder.join("report.txt"), &image.report)?;
    let path = folder.join("cloister.img");
    std::fs::write(&path, image.file(board))?;
    Ok(path)
}

/// The platform page: what the PDs may know of the image and its machine.
fn platform_page(options: &SystemOptions, board: &Board, system: &System, kernel: &Path) -> Result<Vec<u8>> {
    let mut platform = Platform {
        version: Name::new(version().as_bytes()),
        board: Name::new(board.name.as_bytes()),
        kernel: Name::new(if options.kernel == Kernel::Sel4 { b"seL4" } else { b"cloister" }),
        cpu_features: cpu_features(board, options.cpu(board)),
        cores: options.smp.into(),
        ram: board.machine_ram(),
        kernel_bytes: std::fs::metadata(kernel)?.len(),
        ..Platform::default()
    };
    for (index, pd) in system.pds.iter().enumerate() {
        let facts = PdFacts {
            name: Name::new(pd.name.as_bytes()),
            child: if pd.parent.is_some() { pd.child_id } else { u8::MAX },
            core: pd.cpu,
            priority: pd.priority,
            memory: private_memory(system, index),
        };
        let _ = platform.pds.push(facts);
    }
    for facts in regions::shown(system) {
        let _ = platform.regions.push(facts);
    }
    let mut page = vec![0; REGION];
    platform.encode(&mut page).context("the platform page does not hold all PDs and regions")?;
    Ok(page)
}

/// Stack and the regions that this PD alone may write.
fn private_memory(system: &System, pd: usize) -> u64 {
    let maps = system.pds[pd].maps.iter().filter(|map| map.permissions.write && map.cached);
    system.pds[pd].stack_size + maps.map(|map| system.regions[map.region].size).sum::<u64>()
}

fn version() -> String {
    let commit = shell::output(&mut shell::git(&["describe", "--always", "--dirty", "--abbrev=7"]))
        .unwrap_or_default();
    let commit = if commit.is_empty() { "no commit" } else { commit.trim() };
    format!("{} ({commit})", env!("CARGO_PKG_VERSION"))
}

/// What PDs may use of a CPU that QEMU emulates: they cannot read its identification registers.
fn cpu_features(board: &Board, cpu: &str) -> u64 {
    use inference_kernels::CpuFeatures;
    match (board.isa, cpu) {
        (Isa::Aarch64, "max") => (CpuFeatures::DOTPROD | CpuFeatures::I8MM).bits(),
        (Isa::Aarch64, "neoverse-n1" | "cortex-a76") => CpuFeatures::DOTPROD.bits(),
        _ => 0,
    }
}
