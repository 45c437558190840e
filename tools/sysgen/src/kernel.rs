//! Flattens the kernel's ELF into the bytes that a boot loader places at the board's image address.
//!
//! One design rule: the kernel keeps the addresses it was linked for; only two symbols and the Linux image header's
//! size are written. Source of the header: Linux `Documentation/arch/arm64/booting.rst`.

use crate::elf;
use board_description::{Board, Isa};
use object::elf::PT_LOAD;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{LittleEndian, elf::SHT_SYMTAB};

const LE: LittleEndian = LittleEndian;
const MAX_KERNEL: u64 = 64 << 20;
/// Multiboot2 (specification 3.1.1): the header's first word, and the part of the file in which it must lie.
const MULTIBOOT2_MAGIC: u32 = 0xe852_50d6;
const MULTIBOOT2_SEARCH: usize = 28 * 1024;
/// Offset of `image_size` in the header.
const IMAGE_SIZE: usize = 16;
/// "ARM\x64" stands at this offset.
const ARM64_MAGIC: usize = 56;

/// A flattened kernel.
pub struct Kernel {
    /// Everything from the board's image address to the end of `.bss`, whole pages.
    pub bytes: Vec<u8>,
    /// Bytes of code and data in the ELF, without `.bss`.
    pub file_bytes: u64,
    /// Where it begins to execute.
    pub entry: u64,
    spec_paddr: usize,
    spec_size: usize,
}

impl Kernel {
    /// Flattens a kernel ELF.
    ///
    /// # Errors
    /// Names what the kernel lacks: wrong machine, wrong load address, no image header, missing symbols.
    pub fn parse(bytes: &[u8], board: &Board) -> Result<Self, String> {
        let header = elf::header(bytes, board)?;
        let headers =
            header.program_headers(LE, bytes).map_err(|error| format!("program headers: {error}"))?;
        let loads: Vec<_> = headers.iter().filter(|h| h.p_type(LE) == PT_LOAD && h.p_memsz(LE) > 0).collect();
        let mut flat = Vec::new();
        let mut file_bytes = 0;
        for load in &loads {
            let (at, size) = (load.p_paddr(LE), load.p_memsz(LE));
            let start = at.checked_sub(board.image_base);
            let end = start.and_then(|start| start.checked_add(size)).filter(|end| *end <= MAX_KERNEL);
            let (Some(start), Some(end)) = (start, end) else {
                let base = board.image_base;
                return Err(format!(
                    "segment at physical {at:#x} lies outside {base:#x} + 64 MiB; set AT() when linking"
                ));
            };
            let contents =
                load.data(LE, bytes).map_err(|()| "a segment lies outside the file".to_string())?;
            if contents.len() as u64 > size {
                return Err(format!("segment at physical {at:#x} has more contents than memory"));
            }
            flat.resize(flat.len().max(end as usize), 0);
            flat[start as usize..start as usize + contents.len()].copy_from_slice(contents);
            file_bytes += contents.len() as u64;
        }
        flat.resize(flat.len().next_multiple_of(0x1000), 0);
        let find = |name| symbol_offset(bytes, header, &loads, board, name);
        let (spec_paddr, spec_size) = (find("cloister_spec_paddr")?, find("cloister_spec_size")?);
        let entry = header.e_entry(LE);
        let kernel = Self { bytes: flat, file_bytes, entry, spec_paddr, spec_size };
        kernel.check_header(board)?;
        Ok(kernel)
    }

    fn check_header(&self, board: &Board) -> Result<(), String> {
        let wanted: &[u8] = match board.isa {
            Isa::Aarch64 => b"ARM\x64",
            Isa::X86_64 => return self.check_entry(board),
        };
        if self.bytes.get(ARM64_MAGIC..ARM64_MAGIC + 4) == Some(wanted) {
            return Ok(());
        }
        Err(format!(
            "no Linux arm64 image header at physical {:#x}; place it first when linking",
            board.image_base
        ))
    }

    /// Boot loaders of PCs enter in 32-bit mode, without translation, and look for GRUB's header near the start.
    fn check_entry(&self, board: &Board) -> Result<(), String> {
        let base = board.image_base;
        let inside = self.entry.checked_sub(base).is_some_and(|at| at < self.bytes.len() as u64);
        let head = &self.bytes[..self.bytes.len().min(MULTIBOOT2_SEARCH)];
        match head.chunks_exact(8).any(|words| words.starts_with(&MULTIBOOT2_MAGIC.to_le_bytes())) {
            _ if !inside => Err(format!(
                "its entry point {:#x} is not the physical address of code in it; set ENTRY when linking",
                self.entry
            )),
            false => {
                Err(format!("no Multiboot2 header near physical {base:#x}; place it first when linking"))
            }
            true => Ok(()),
        }
    }

    /// Writes where the compiled description lies and how much memory a boot loader must leave alone: the device tree
    /// may lie in what the kernel clears, since the kernel reads it before.
    pub fn patch(&mut self, spec_paddr: u64, spec_size: u64, memory: u64, board: &Board) {
        for (at, value) in [(self.spec_paddr, spec_paddr), (self.spec_size, spec_size)] {
            self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        if board.isa == Isa::Aarch64 {
            self.bytes[IMAGE_SIZE..IMAGE_SIZE + 8].copy_from_slice(&memory.to_le_bytes());
        }
    }
}

/// Offset of an 8-byte symbol in the flattened kernel.
fn symbol_offset(
    bytes: &[u8],
    header: &object::elf::FileHeader64<LittleEndian>,
    loads: &[&object::elf::ProgramHeader64<LittleEndian>],
    board: &Board,
    name: &str,
) -> Result<usize, String> {
    let missing = || format!("no symbol '{name}'; declare it `#[no_mangle] #[used] static`: u64 in .data");
    let sections = header.sections(LE, bytes).map_err(|_| missing())?;
    let table = sections.symbols(LE, bytes, SHT_SYMTAB).map_err(|_| missing())?;
    let mut found =
        table.iter().filter(|s| table.symbol_name(LE, s) == Ok(name.as_bytes()) && s.st_shndx(LE).0 != 0);
    let symbol = found.next().ok_or_else(missing)?;
    let (address, size) = (symbol.st_value(LE), symbol.st_size(LE));
    if size != 8 {
        return Err(format!("symbol '{name}' has {size} bytes; it must be a u64"));
    }
    for load in loads {
        let last = load.p_filesz(LE).checked_sub(8);
        let inside = address.checked_sub(load.p_vaddr(LE)).filter(|at| last.is_some_and(|last| *at <= last));
        if let Some(inside) = inside {
            return Ok((load.p_paddr(LE) - board.image_base + inside) as usize);
        }
    }
    Err(format!("symbol '{name}' has no contents in the file; give it an initial value in .data"))
}
