//! `cargo xtask`: every job of the project is one command that a person can run.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod capdl;
mod cd;
mod check;
mod containment;
mod data;
mod disk;
mod foreign;
mod host;
mod install;
mod iso;
mod kernel;
mod learning;
mod minilm;
mod official;
mod options;
mod oracle;
mod pages;
mod pc;
mod peer;
mod policy;
mod processors;
mod qemu;
mod regions;
mod retrieval;
mod script;
mod sel4;
mod shell;
mod signed;
mod system;
mod tcb;
mod test;
mod transcripts;

use anyhow::{Context, Result, ensure};
use board_description::Isa;
use clap::{Parser, Subcommand};
use options::SystemOptions;
use qemu::{Firmware, Machine, Start};
use std::path::PathBuf;

/// The jobs of the Cloister project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Build the system, start it in QEMU and chat with it on this terminal
    Run {
        #[command(flatten)]
        system: SystemOptions,
        /// Type the lines of this file at the prompts; the transcript goes to standard output
        #[arg(long, value_name = "FILE")]
        script: Option<PathBuf>,
    },
    /// Build the image, its report and the resolved description, and say where they are
    Image {
        #[command(flatten)]
        system: SystemOptions,
        /// A CD image with GRUB as well, for the board x86_64_generic
        #[arg(long)]
        iso: bool,
    },
    /// Measure, and print what was measured with what
    Bench {
        #[command(subcommand)]
        figure: Figure,
    },
    /// Show something
    Demo {
        #[command(subcommand)]
        what: Demo,
    },
    /// Run every test
    Test {
        /// Only steps whose name contains this
        #[arg(default_value = "")]
        step: String,
        /// Board of the steps that run on one: documents, signed models, containment, erasure
        #[arg(long, default_value = "qemu_virt_aarch64")]
        board: String,
    },
    /// Check the rules of the architecture: dependencies, `unsafe`, instruction sets
    Check,
    /// Code lines and `unsafe` of every protection domain and of the kernel
    Tcb {
        #[command(flatten)]
        options: tcb::Options,
    },
    /// Who can read, write, call and signal whom, compared with policy.toml
    Flows {
        #[command(flatten)]
        options: tools_flows::Options,
    },
}

#[derive(Subcommand)]
enum Demo {
    /// A conversation goes on while parts of the system are made to fail
    Faults {
        /// Kernel
        #[arg(long, value_enum, default_value_t = options::Kernel::Cloister)]
        kernel: options::Kernel,
    },
}

#[derive(Subcommand)]
enum Figure {
    /// Time from the start of QEMU to the prompt
    Boot {
        #[command(flatten)]
        system: SystemOptions,
    },
    /// Instructions that the kernel's operations take, beside the official kernel's
    Ipc {
        /// Board, by Microkit's name
        #[arg(long, default_value = "qemu_virt_aarch64")]
        board: String,
    },
    /// How well and how fast passages are found: recall, MRR, nDCG, times; --help lists the options
    #[command(disable_help_flag = true)]
    Retrieval {
        /// Options of cloister-retrieval-bench; without --model, all-MiniLM-L6-v2 is fetched
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// What is left of a conversation in the machine's RAM after /clear and after restarts
    Erasure,
    /// What becomes of every kind of fault in every PD; the whole matrix is written to docs/containment*.md
    Containment {
        /// Kernel
        #[arg(long, value_enum, default_value_t = options::Kernel::Cloister)]
        kernel: options::Kernel,
        /// Only cells whose `PD/fault` contains this; they are printed
        #[arg(default_value = "")]
        cells: String,
        /// Board
        #[arg(long, default_value = "qemu_virt_aarch64")]
        board: String,
    },
    /// Kills QEMU while documents and notes are taken in, and checks after each boot that all acknowledged ones are there
    PowerCuts {
        /// How often
        #[arg(long, default_value_t = 100)]
        count: u32,
    },
    /// Speed beside llama.cpp's, on the same files, in turns
    #[command(name = "llama.cpp")]
    LlamaCpp {
        #[command(flatten)]
        options: peer::Options,
    },
    /// Tokens per second and time to the first token, for 1, 2 and 4 workers
    Generate {
        #[command(flatten)]
        system: SystemOptions,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().job {
        Job::Run { system, script } => run(&system, script.as_deref()),
        Job::Image { system, iso } => image(&system, iso),
        Job::Bench { figure: Figure::Boot { system } } => bench::boot(&system),
        Job::Bench { figure: Figure::Retrieval { options } } => bench::retrieval(&options),
        Job::Bench { figure: Figure::PowerCuts { count } } => retrieval::power_cuts(count),
        Job::Bench { figure: Figure::Generate { system } } => bench::generate(&system),
        Job::Bench { figure: Figure::LlamaCpp { options } } => peer::run(&options),
        Job::Bench { figure: Figure::Containment { kernel, cells, board } } => {
            options::test_on(&board)?;
            containment::bench(kernel, &cells)
        }
        Job::Bench { figure: Figure::Erasure } => containment::erasure(),
        Job::Bench { figure: Figure::Ipc { board } } => kernel::bench_ipc(&board),
        Job::Test { step, board } => {
            options::test_on(&board)?;
            test::all(&step)
        }
        Job::Demo { what: Demo::Faults { kernel } } => containment::demo(kernel),
        Job::Check => check::all(),
        Job::Tcb { options } => tcb::run(&options),
        Job::Flows { options } => options.run(&shell::root()),
    }
}

fn prepare(options: &SystemOptions) -> Result<system::Built> {
    let board = system::board(options)?;
    install::rust_targets(&[build::simd_target(board.isa), build::soft_target(board.isa)])?;
    install::programs(&[install::qemu(board.isa)])?;
    system::prepare(options)
}

fn run(options: &SystemOptions, script: Option<&std::path::Path>) -> Result<()> {
    ensure!(
        script.is_none() || options.system.is_none(),
        "--script types at Cloister's prompt, which the system of --system does not have"
    );
    let script = script.map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("--script {}: cannot be read", path.display()))
    });
    let script = script.transpose()?;
    let options = &SystemOptions { model: disk::model(options), ..options.clone() };
    let built = prepare(options)?;
    match script {
        Some(lines) => script::run(&built.machine, &lines, &mut std::io::stdout()),
        None => {
            eprintln!("starting QEMU; /bye leaves, Ctrl-A X ends QEMU at once");
            built.machine.interactive(script::FAREWELL)
        }
    }
}

fn image(options: &SystemOptions, iso: bool) -> Result<()> {
    let pc = system::board(options)?.isa == Isa::X86_64 && options.kernel == options::Kernel::Cloister;
    ensure!(pc || !iso, "--iso: a CD image is for our kernel on a PC: --board x86_64_generic");
    let built = prepare(options)?;
    println!("image:       {}", built.machine.image.display());
    println!("report:      {}", built.folder.join("report.txt").display());
    println!("description: {}", built.folder.join("resolved.system").display());
    if let Some(disk) = &built.machine.disk {
        println!("disk:        {}", disk.display());
    }
    if iso {
        let iso = iso::build(&built.folder, &built.machine.image, &iso::MENU, &[])?;
        println!("CD image:    {}", iso.display());
        println!("manifest:    {}", built.folder.join("iso/MANIFEST.sha256").display());
        let machine = Machine { image: iso, start: Start::Cd(Firmware::Bios), ..built.machine };
        println!("start:       {} -serial mon:stdio", shell::show(&machine.command()));
        println!("by UEFI:     the same with -bios {} (Debian's package ovmf)", qemu::OVMF);
        return Ok(());
    }
    println!("start:       {} -serial mon:stdio", shell::show(&built.machine.command()));
    Ok(())
}
