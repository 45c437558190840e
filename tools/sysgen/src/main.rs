//! `cloister-sysgen`: system description, program images and kernel to a bootable image and its report.
//!
//! One design rule: wiring only; everything is in the library, which `cargo xtask` calls as well.
#![forbid(unsafe_code)]

use clap::Parser;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tools_sysgen::{Description, Problems, SearchPath, board, build_image};

/// Builds a bootable image from a Microkit system description.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// System description.
    system: PathBuf,
    /// Board, by Microkit's name.
    #[arg(long, default_value = "qemu_virt_aarch64")]
    board: String,
    /// Overlay to apply; may be given more than once.
    #[arg(long)]
    overlay: Vec<PathBuf>,
    /// Drop protection domains on cores from this one up.
    #[arg(long)]
    cores: Option<u8>,
    /// RAM of the machine in MiB, where it is not the board's default.
    #[arg(long, value_name = "MIB")]
    ram: Option<u64>,
    /// Folder with program images and prefill files; may be given more than once.
    #[arg(long)]
    search_path: Vec<PathBuf>,
    /// The kernel's ELF file; without it the description is only checked.
    #[arg(long)]
    kernel: Option<PathBuf>,
    /// Where the image goes.
    #[arg(short, long, default_value = "cloister.img")]
    output: PathBuf,
    /// Where the report goes.
    #[arg(short, long)]
    report: Option<PathBuf>,
    /// Where the resolved description goes (what Microkit's own tool is given).
    #[arg(long)]
    resolved: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Problems> {
    let mut board = board(&options.board)?;
    if let Some(mib) = options.ram {
        board = board.with_ram(mib.min(1 << 20) << 20);
    }
    let mut description = Description::read(&options.system)?;
    for overlay in &options.overlay {
        description.read_overlay(overlay)?;
    }
    if let Some(cores) = options.cores {
        description.limit_cores(cores);
    }
    let search = SearchPath(options.search_path.clone());
    let system = description.resolve(&board, &search)?;
    if let Some(path) = &options.resolved {
        write(path, system.to_xml().as_bytes())?;
    }
    let Some(kernel) = &options.kernel else {
        system.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        return Ok(());
    };
    let kernel = fs::read(kernel).map_err(|e| Problems::one(format!("{}: {e}", kernel.display())))?;
    let image = build_image(&system, &search, &kernel, &board)?;
    image.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    write(&options.output, &image.file(&board))?;
    options.report.as_ref().map_or(Ok(()), |path| write(path, image.report.as_bytes()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Problems> {
    fs::write(path, bytes).map_err(|error| Problems::one(format!("{}: {error}", path.display())))
}
