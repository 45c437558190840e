//! The official kernel: an unmodified Microkit SDK packs the same programs and the same description.
//!
//! One design rule: nothing is adapted. The SDK gets the resolved description and the PDs' ELF files that our own image
//! is made of; where the two kernels disagree about a number, the build stops and names it.
//! Limits: on `qemu_virt_aarch64` RAM is fixed when an SDK is built, and the SMP image wants exactly 4 cores; on
//! `x86_64_generic` one core, and a machine with an IOMMU.

use crate::options::SystemOptions;
use crate::qemu::Start;
use crate::shell::Job;
use crate::{capdl, oracle, system};
use anyhow::{Context, Result, bail, ensure};
use ipc_abi::label;
use std::path::{Path, PathBuf};
use std::process::Command;
use tools_sysgen::{SearchPath, System};

/// The version whose ABI `ipc/abi` speaks.
pub const VERSION: &str = "2.3.0";
/// Where it comes from.
pub const DOWNLOADS: &str = "https://github.com/seL4/microkit/releases";
/// RAM of the SDK's `qemu_virt_aarch64`.
const RAM: u64 = 2 << 30;
/// What the official kernel and its first task need beside the system, on a PC.
const BESIDE: u64 = 704 << 20;
/// Boards that we start with the official kernel.
const BOARDS: [&str; 2] = ["qemu_virt_aarch64", PC];
const PC: &str = "x86_64_generic";

/// RAM of the machine for a model of so many bytes.
pub fn ram(options: &SystemOptions, model: u64) -> u64 {
    match options.board.as_str() {
        PC => options.ram.unwrap_or_else(|| system::ram_for(options, model) + BESIDE),
        _ => RAM,
    }
}
/// Invocations that a PD uses: the SDK's name for each, and our label.
const LABELS: [(&str, u64); 5] = [
    ("TCBReadRegisters", label::TCB_READ_REGISTERS),
    ("TCBWriteRegisters", label::TCB_WRITE_REGISTERS),
    ("TCBSuspend", label::TCB_SUSPEND),
    ("TCBResume", label::TCB_RESUME),
    ("IRQAckIRQ", label::IRQ_ACK),
];
/// The same for x86 I/O ports.
const PORT_LABELS: [(&str, u64); 6] = [
    ("X86IOPortIn8", label::PORT_IN[0]),
    ("X86IOPortIn16", label::PORT_IN[1]),
    ("X86IOPortIn32", label::PORT_IN[2]),
    ("X86IOPortOut8", label::PORT_OUT[0]),
    ("X86IOPortOut16", label::PORT_OUT[1]),
    ("X86IOPortOut32", label::PORT_OUT[2]),
];

/// An SDK on this machine, and the board and configuration of it that are used.
#[derive(Clone, Debug)]
pub struct Sdk {
    root: PathBuf,
    board: String,
    configuration: &'static str,
}

impl Sdk {
    /// The SDK that `MICROKIT_SDK` names, if it is set.
    pub fn root_from_environment() -> Option<PathBuf> {
        std::env::var_os("MICROKIT_SDK").filter(|root| !root.is_empty()).map(PathBuf::from)
    }

    /// The SDK for these options, checked.
    ///
    /// # Errors
    /// Without an SDK; for a board, number of cores or size of RAM that it does not have; for another version or
    /// another invocation label. The message says what to do.
    pub fn for_options(options: &SystemOptions) -> Result<Self> {
        let root = Self::root_from_environment().with_context(|| {
            format!(
                "--kernel sel4 needs the seL4 Microkit SDK {VERSION}: get it from {DOWNLOADS} and set MICROKIT_SDK \
                 to its folder"
            )
        })?;
        let sdk = Self { root, board: options.board.clone(), configuration: configuration(options)? };
        sdk.check_files()?;
        sdk.check_labels()?;
        Ok(sdk)
    }

    fn check_labels(&self) -> Result<()> {
        let path = self.folder().join("invocations_all.json");
        let shown = path.display();
        let text = std::fs::read_to_string(&path).with_context(|| format!("{shown}: cannot be read"))?;
        compare_labels(&text, self.board == PC).with_context(|| format!("{shown}: not the ABI of ipc/abi"))
    }

    fn folder(&self) -> PathBuf {
        self.root.join("board").join(&self.board).join(self.configuration)
    }

    /// The kernel's ELF.
    pub fn kernel(&self) -> PathBuf {
        self.folder().join("elf/sel4.elf")
    }

    /// How an image of this SDK is started.
    pub fn start(&self) -> Start {
        match self.board.as_str() {
            PC => Start::Module(self.folder().join("elf/sel4_32.elf")),
            _ => Start::Loader,
        }
    }

    fn check_files(&self) -> Result<()> {
        let version = std::fs::read_to_string(self.root.join("VERSION")).unwrap_or_default();
        let root = self.root.display();
        ensure!(
            version.trim() == VERSION,
            "MICROKIT_SDK={root}: its file VERSION says '{}'; version {VERSION} is needed",
            version.trim()
        );
        for path in [self.root.join("bin/microkit"), self.kernel()] {
            ensure!(path.is_file(), "MICROKIT_SDK={root}: {} is missing from it", path.display());
        }
        Ok(())
    }

    /// Packs `folder/resolved.system`, which is `system`; writes image, report and the complete specification beside it.
    ///
    /// # Errors
    /// When the SDK's tool refuses the description, with its own message, or reads it otherwise than we do.
    pub fn image(&self, folder: &Path, search: &SearchPath, system: &System) -> Result<PathBuf> {
        eprintln!("packing with {} ({}, {})", self.root.display(), self.board, self.configuration);
        let image = folder.join("loader.img");
        let mut command = Command::new(self.root.join("bin/microkit"));
        command.arg(folder.join("resolved.system"));
        for place in &search.0 {
            command.arg("--search-path").arg(place);
        }
        command.args(["--board", &self.board, "--config", self.configuration]);
        command.arg("--output").arg(&image).arg("--report").arg(folder.join("report.txt"));
        command.arg("--capdl-json").arg(folder.join("capdl.json"));
        command.current_dir(folder).env("MICROKIT_SDK", std::path::absolute(&self.root)?);
        Job::new(command).quiet().run()?;
        let specification = std::fs::read_to_string(folder.join("capdl.json"))?;
        oracle::compare(&oracle::facts(system, &self.board), &capdl::facts(&specification)?)?;
        Ok(image)
    }
}

/// The SDK's configuration for a number of cores.
fn configuration(options: &SystemOptions) -> Result<&'static str> {
    let board = &options.board;
    ensure!(
        BOARDS.contains(&board.as_str()),
        "--kernel sel4 --board {board}: of the official kernel's boards {} is supported",
        BOARDS.join(", ")
    );
    let fixed = board != PC;
    ensure!(
        !fixed || options.ram.is_none_or(|ram| ram == RAM),
        "--kernel sel4 --ram: RAM of {board} is fixed when an SDK is built, to 2G; leave the option out"
    );
    match options.smp {
        1 => Ok("release"),
        4 if fixed => Ok("smp-release"),
        cores if !fixed => {
            bail!("--kernel sel4 --board {board} --smp {cores}: one core only; leave the option out")
        }
        cores => bail!(
            "--kernel sel4 --smp {cores}: the SDK has configurations for 1 core and for 4; give one of them"
        ),
    }
}

/// Compares the SDK's invocation labels with those that the PDs' runtime uses.
///
/// # Errors
/// Names each that is missing or different.
fn compare_labels(json: &str, ports: bool) -> Result<()> {
    let table: serde_json::Value = serde_json::from_str(json)?;
    let ports = if ports { &PORT_LABELS[..] } else { &[] };
    let differences: Vec<String> = LABELS
        .iter()
        .chain(ports)
        .filter(|(name, ours)| table[name].as_u64() != Some(*ours))
        .map(|(name, ours)| format!("{name} is {} there and {ours} here", table[name]))
        .collect();
    ensure!(differences.is_empty(), "{}", differences.join("; "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{compare_labels, configuration};
    use crate::options::SystemOptions;

    #[test]
    fn labels_of_the_release_kernel_are_ours() {
        let release = r#"{"TCBReadRegisters": 2, "TCBWriteRegisters": 3, "TCBSuspend": 12, "TCBResume": 13, "IRQAckIRQ": 27}"#;
        compare_labels(release, false).unwrap();
        let said = compare_labels(release, true).unwrap_err().to_string();
        assert!(said.contains("X86IOPortOut32 is null there and 59 here"), "{said}");
    }

    #[test]
    fn another_label_is_refused_by_name() {
        let debug = r#"{"TCBReadRegisters": 2, "TCBWriteRegisters": 3, "TCBSuspend": 12, "TCBResume": 13, "IRQAckIRQ": 31}"#;
        let said = compare_labels(debug, false).unwrap_err().to_string();
        assert!(said.contains("IRQAckIRQ is 31 there and 27 here"), "{said}");
        assert!(compare_labels("{}", false).unwrap_err().to_string().contains("TCBResume is null there"));
        assert!(compare_labels("not JSON", false).is_err());
    }

    #[test]
    fn cores_choose_the_configuration() {
        let options = |smp| SystemOptions { smp, ..SystemOptions::standard() };
        assert_eq!(configuration(&options(1)).unwrap(), "release");
        assert_eq!(configuration(&options(4)).unwrap(), "smp-release");
        assert!(configuration(&options(2)).unwrap_err().to_string().contains("--smp 2"));
    }

    #[test]
    fn another_board_or_another_size_of_ram_is_refused() {
        let board = SystemOptions { board: "rpi4b_4gb".into(), ..SystemOptions::standard() };
        assert!(configuration(&board).unwrap_err().to_string().contains("rpi4b_4gb"));
        let ram = SystemOptions { ram: Some(1 << 30), ..SystemOptions::standard() };
        assert!(configuration(&ram).unwrap_err().to_string().contains("2G"));
        let pc = SystemOptions { board: "x86_64_generic".into(), ..ram };
        assert_eq!(configuration(&pc).unwrap(), "release");
        let four = SystemOptions { smp: 4, ..pc };
        assert!(configuration(&four).unwrap_err().to_string().contains("one core only"));
    }
}
