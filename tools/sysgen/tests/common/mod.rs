//! Makes ELF files for tests: real ones, laid out as a linker would, with every field open to be wrong.
#![allow(dead_code)] // Each test binary uses a part.

use std::path::{Path, PathBuf};
use tools_sysgen::{Description, Problems, SearchPath, System};

/// One segment.
#[derive(Clone)]
pub struct Segment {
    pub vaddr: u64,
    pub paddr: u64,
    pub flags: u32,
    pub data: Vec<u8>,
    pub memory: u64,
}

/// One symbol.
#[derive(Clone)]
pub struct Symbol {
    pub name: &'static str,
    pub address: u64,
    pub size: u64,
}

/// An ELF file to be.
#[derive(Clone)]
pub struct Elf {
    pub kind: u16,
    pub machine: u16,
    pub entry: u64,
    pub segments: Vec<Segment>,
    pub symbols: Vec<Symbol>,
    pub symbol_table: bool,
}

pub const READ: u32 = 4;
pub const WRITE: u32 = 2;
pub const EXECUTE: u32 = 1;
/// Where the symbols of [`program`] begin.
pub const DATA: u64 = 0x21_0000;

/// A PD as a linker makes it: code, data with Microkit's symbols, and 3 pages of zeros.
pub fn program() -> Elf {
    let symbol = |name, offset, size| Symbol { name, address: DATA + offset, size };
    Elf {
        kind: 2,
        machine: 183,
        entry: 0x20_0010,
        segments: vec![
            Segment {
                vaddr: 0x20_0000,
                paddr: 0x20_0000,
                flags: READ | EXECUTE,
                data: vec![0x1f; 0x1234],
                memory: 0x1234,
            },
            Segment { vaddr: DATA, paddr: DATA, flags: READ | WRITE, data: vec![0; 0x200], memory: 0x3800 },
        ],
        symbols: vec![
            symbol("microkit_name", 0, 64),
            symbol("microkit_passive", 64, 1),
            symbol("microkit_irqs", 72, 8),
            symbol("microkit_notifications", 80, 8),
            symbol("microkit_pps", 88, 8),
            symbol("microkit_ioports", 96, 8),
            symbol("region_start", 104, 8),
            symbol("region_size", 112, 8),
            symbol("region_paddr", 120, 8),
            symbol("in_bss", 0x3000, 8),
            symbol("small", 128, 4),
            symbol("twice", 136, 8),
            symbol("twice", 144, 8),
        ],
        symbol_table: true,
    }
}

/// A kernel as the image builder wants it.
pub fn kernel() -> Elf {
    let base = 0xffff_ff80_4020_0000;
    let mut data = vec![0; 0x3000];
    data[56..60].copy_from_slice(b"ARM\x64");
    let symbol = |name, offset| Symbol { name, address: base + offset, size: 8 };
    Elf {
        kind: 2,
        machine: 183,
        entry: base,
        segments: vec![Segment {
            vaddr: base,
            paddr: 0x4020_0000,
            flags: READ | EXECUTE,
            data,
            memory: 0x5800,
        }],
        symbols: vec![symbol("cloister_spec_paddr", 0x2000), symbol("cloister_spec_size", 0x2008)],
        symbol_table: true,
    }
}

impl Elf {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let headers = 64 + 56 * self.segments.len();
        let mut body = Vec::new();
        let mut program_headers = Vec::new();
        for segment in &self.segments {
            let offset = (headers + body.len()) as u64;
            let words =
                [offset, segment.vaddr, segment.paddr, segment.data.len() as u64, segment.memory, 0x1000];
            program_headers.extend_from_slice(&1_u32.to_le_bytes());
            program_headers.extend_from_slice(&segment.flags.to_le_bytes());
            words.iter().for_each(|word| program_headers.extend_from_slice(&word.to_le_bytes()));
            body.extend_from_slice(&segment.data);
        }
        let mut names = vec![0];
        let mut symbols = vec![0; 24];
        for symbol in &self.symbols {
            symbols.extend_from_slice(&(names.len() as u32).to_le_bytes());
            symbols.extend_from_slice(&[0x11, 0, 1, 0]);
            symbols.extend_from_slice(&symbol.address.to_le_bytes());
            symbols.extend_from_slice(&symbol.size.to_le_bytes());
            names.extend_from_slice(symbol.name.as_bytes());
            names.push(0);
        }
        let symbols_at = headers + body.len();
        let names_at = symbols_at + symbols.len();
        let sections_at = names_at + names.len();
        let (count, names_section): (u16, u16) = if self.symbol_table { (3, 2) } else { (1, 0) };
        let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&self.machine.to_le_bytes());
        out.extend_from_slice(&1_u32.to_le_bytes());
        [self.entry, 64, sections_at as u64]
            .iter()
            .for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.extend_from_slice(&0_u32.to_le_bytes());
        let shorts = [64, 56, self.segments.len() as u16, 64, count, names_section];
        shorts.iter().for_each(|short| out.extend_from_slice(&short.to_le_bytes()));
        out.extend(program_headers);
        out.extend(body);
        out.extend(&symbols);
        out.extend(&names);
        out.extend([0; 64]);
        if self.symbol_table {
            out.extend(section(2, symbols_at, symbols.len(), 2, 24));
            out.extend(section(3, names_at, names.len(), 0, 0));
        }
        out
    }
}

fn section(kind: u32, at: usize, size: usize, link: u32, entry: u64) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    [0, 0, at as u64, size as u64].iter().for_each(|word: &u64| out.extend_from_slice(&word.to_le_bytes()));
    out.extend_from_slice(&link.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    [8, entry].iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    out
}

/// A fresh folder with `pd.elf` and files that descriptions name, for one caller alone.
pub fn folder(test: &str) -> PathBuf {
    let made = tempfile::Builder::new().prefix(test).tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = made.keep();
    std::fs::write(path.join("pd.elf"), program().bytes()).unwrap();
    std::fs::write(path.join("small.bin"), b"prefilled contents").unwrap();
    std::fs::write(path.join("empty.bin"), b"").unwrap();
    path
}

pub const BOARD: board_description::Board = board_qemu_virt_aarch64::BOARD;

/// Resolves a description's text.
pub fn resolve(text: &str, folder: &Path) -> Result<System, Problems> {
    Description::parse("system.xml", text)?.resolve(&BOARD, &SearchPath(vec![folder.into()]))
}
