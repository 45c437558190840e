//! What a person may ask of `run`, `image` and the benchmarks.

use crate::qemu::Pc;
use anyhow::{Result, bail};
use board_description::Board;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The board that is tested and measured where nothing else is said.
static TESTED: OnceLock<Board> = OnceLock::new();

/// Makes `name` the board that is tested; to be said once, first.
///
/// # Errors
/// When there is no board of this name.
pub fn test_on(name: &str) -> Result<()> {
    let board = tools_sysgen::board(name).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let _ = TESTED.set(board);
    Ok(())
}

/// See [`test_on`]; the first board otherwise.
pub fn tested() -> &'static Board {
    TESTED.get_or_init(|| tools_sysgen::BOARDS[0])
}

/// Which kernel runs the protection domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kernel {
    /// Ours.
    Cloister,
    /// The official one, from an SDK that MICROKIT_SDK names.
    Sel4,
}

/// A system to build and start.
#[derive(Args, Clone, Debug)]
pub struct SystemOptions {
    /// Board, by Microkit's name
    #[arg(long, default_value = "qemu_virt_aarch64")]
    pub board: String,
    /// Kernel
    #[arg(long, value_enum, default_value_t = Kernel::Cloister)]
    pub kernel: Kernel,
    /// Start this system description instead of Cloister's: any PDs made for Microkit
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub system: Option<PathBuf>,
    /// Folder with the programs of --system; may be repeated [default: the description's folder]
    #[arg(long, value_name = "DIR", requires = "system")]
    pub search_path: Vec<PathBuf>,
    /// Model to put on the disk and load
    #[arg(long, value_name = "FILE.gguf")]
    pub model: Option<PathBuf>,
    /// Cores, 1 to 4: compute gets a worker on each
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub smp: u8,
    /// RAM of the machine, for example 512M or 2G; chosen to fit where it is not given
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub ram: Option<u64>,
    /// CPU that QEMU emulates, the board's own by default; `max` has all instructions that QEMU knows
    #[arg(long)]
    pub cpu: Option<String>,
    /// QEMU's PC, for the board x86_64_generic
    #[arg(long, value_enum, default_value_t = Pc::Q35)]
    pub machine: Pc,
    /// Words for the kernel, for the board x86_64_generic: verbose, memtest
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    pub append: String,
    /// Disk image to use instead of the board's own
    #[arg(long, value_name = "FILE.img", conflicts_with = "no_disk")]
    pub disk: Option<PathBuf>,
    /// Start without a disk
    #[arg(long)]
    pub no_disk: bool,
    /// Document to put into /docs; may be given more than once
    #[arg(long = "document", value_name = "FILE", conflicts_with = "no_disk")]
    pub documents: Vec<PathBuf>,
    /// Folder whose documents (.md .txt .rst .c .h .rs .py) are put into /docs, with its folders
    #[arg(long = "documents", value_name = "DIR", conflicts_with = "no_disk")]
    pub document_folders: Vec<PathBuf>,
    /// Embedding model (a BERT encoder's GGUF) instead of all-MiniLM-L6-v2, which is fetched
    #[arg(long, value_name = "FILE.gguf", conflicts_with = "no_embedding")]
    pub embedding: Option<PathBuf>,
    /// Put no embedding model on the disk: where none is there, words are hashed
    #[arg(long)]
    pub no_embedding: bool,
    /// Passages that the retriever has memory for: 5,461 without this; a large collection needs more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5_000..=25_000))]
    pub passages: Option<u32>,
    /// Take signed models only: of keys named by --trust
    #[arg(long)]
    pub require_signed: bool,
    /// Public key whose signatures on models count; more than one may be given
    #[arg(long, value_name = "NAME.pub")]
    pub trust: Vec<PathBuf>,
    /// Oldest version of a signed model that is taken; may be given for several models
    #[arg(long, value_name = "NAME=VERSION", value_parser = crate::policy::parse_minimum)]
    pub minimum: Vec<(String, u64)>,
    /// Let the guest's clock count instructions: repeatable, one core
    #[arg(long)]
    pub icount: bool,
    /// Programs that fail on order, and the pages that the orders lie in
    #[arg(skip)]
    pub faults: bool,
}

impl SystemOptions {
    /// The CPU that QEMU emulates.
    pub fn cpu<'a>(&'a self, board: &Board) -> &'a str {
        self.cpu.as_deref().unwrap_or(board.default_cpu)
    }

    /// The options of a plain `run` on the board under test, without an embedding model.
    pub fn standard() -> Self {
        Self {
            board: tested().name.into(),
            kernel: Kernel::Cloister,
            system: None,
            search_path: Vec::new(),
            model: None,
            smp: 1,
            ram: None,
            cpu: None,
            machine: Pc::Q35,
            append: String::new(),
            disk: None,
            no_disk: false,
            documents: Vec::new(),
            document_folders: Vec::new(),
            embedding: None,
            no_embedding: true,
            passages: None,
            require_signed: false,
            trust: Vec::new(),
            minimum: Vec::new(),
            icount: false,
            faults: false,
        }
    }
}

/// Bytes from "512M", "2G", "1048576".
fn parse_size(text: &str) -> Result<u64> {
    let (digits, unit) = match text
        .trim_end_matches(['i', 'B'])
        .split_at_checked(text.trim_end_matches(['i', 'B']).len().saturating_sub(1))
    {
        Some((digits, "K" | "k")) => (digits, 1 << 10),
        Some((digits, "M" | "m")) => (digits, 1 << 20),
        Some((digits, "G" | "g")) => (digits, 1 << 30),
        _ => (text, 1_u64),
    };
    match digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)) {
        Some(size) if size >= 64 << 20 => Ok(size),
        Some(_) => bail!("at least 64M"),
        None => bail!("not a size; write for example 512M or 2G"),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_have_units_and_a_minimum() {
        assert_eq!(parse_size("512M").unwrap(), 512 << 20);
        assert_eq!(parse_size("2GiB").unwrap(), 2 << 30);
        assert!(
            parse_size("12").is_err() && parse_size("lots").is_err() && parse_size("99999999999G").is_err()
        );
    }
}
