//! Reads the ELF file of a protection domain and writes its symbols.
//!
//! One design rule: everything Microkit asks of an ELF is checked here and named when it is missing, so that a wrong
//! build fails at build time with the fix and never as a fault on the board. Source: Microkit 2.3.0 `elf.rs`,
//! `symbols.rs`; the ELF specification.
//! Limits: one symbol table; an image of up to 4096 segments of together 1 GiB.

use crate::model::Permissions;
use board_description::Board;
use object::LittleEndian;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym, SymbolTable};
use std::collections::HashMap;

const LE: LittleEndian = LittleEndian;
const PAGE: u64 = 0x1000;
const MAX_MEMORY: u64 = 1 << 30;

/// A loadable segment, extended to whole pages.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Page-aligned virtual address.
    pub vaddr: u64,
    /// Contents; whole pages. What follows up to `size` is zero.
    pub data: Vec<u8>,
    /// Bytes in memory; whole pages.
    pub size: u64,
    /// Never writable and executable.
    pub permissions: Permissions,
}

/// A symbol's value and size.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    address: u64,
    size: u64,
    count: usize,
}

/// A checked program image.
#[derive(Clone, Debug)]
pub struct ProgramImage {
    /// First instruction.
    pub entry: u64,
    /// Segments in ascending order; no two share a page.
    pub segments: Vec<Segment>,
    symbols: HashMap<String, Symbol>,
}

impl ProgramImage {
    /// Reads and checks a PD's ELF; `symbols` is the file to look symbols up in (usually the same).
    ///
    /// # Errors
    /// Everything found wrong, each with what to do.
    pub fn parse(bytes: &[u8], symbols: &[u8], board: &Board) -> Result<Self, Vec<String>> {
        let header = header(bytes, board).map_err(|error| vec![error])?;
        let mut problems = Vec::new();
        let segments = segments(header, bytes, &mut problems);
        let symbols = symbol_table(symbols, board).unwrap_or_else(|error| {
            problems.push(error);
            HashMap::new()
        });
        let entry = header.e_entry(LE);
        let runs = |s: &Segment| s.permissions.execute && entry >= s.vaddr && entry - s.vaddr < s.size;
        if problems.is_empty() && !segments.iter().any(runs) {
            problems.push(format!(
                "its entry point {entry:#x} lies in no executable segment; set ENTRY when linking"
            ));
        }
        if problems.is_empty() { Ok(Self { entry, segments, symbols }) } else { Err(problems) }
    }

    /// Writes a symbol that must hold exactly (`exact`) or at least the bytes given.
    ///
    /// # Errors
    /// Says whether the symbol is missing, ambiguous, of another size or outside every segment, and what to do.
    pub fn write(&mut self, name: &str, value: &[u8], exact: bool) -> Result<(), String> {
        let Some(symbol) = self.symbols.get(name).copied() else {
            let close = crate::problem::did_you_mean(name, self.symbols.keys().map(String::as_str));
            return Err(format!("it has no symbol '{name}'; declare it `#[no_mangle]` and `#[used]`{close}"));
        };
        if symbol.count > 1 {
            return Err(format!("symbol '{name}' exists {} times; rename all but one", symbol.count));
        }
        let len = value.len() as u64;
        if symbol.size < len || (exact && symbol.size != len) {
            let size = symbol.size;
            return Err(format!(
                "symbol '{name}' has {size} bytes; it must have {len}: declare it with that size"
            ));
        }
        let holds = |s: &&mut Segment| {
            symbol.address >= s.vaddr && s.size >= len && symbol.address - s.vaddr <= s.size - len
        };
        let Some(segment) = self.segments.iter_mut().find(holds) else {
            return Err(format!(
                "symbol '{name}' lies in no loadable segment; keep its section when linking"
            ));
        };
        let start = (symbol.address - segment.vaddr) as usize;
        let end = start + value.len();
        if segment.data.len() < end {
            segment.data.resize(end.next_multiple_of(PAGE as usize), 0);
        }
        segment.data[start..end].copy_from_slice(value);
        Ok(())
    }
}

/// The header of a 64-bit little-endian, statically linked executable for this board.
pub(crate) fn header<'a>(bytes: &'a [u8], board: &Board) -> Result<&'a FileHeader64<LittleEndian>, String> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).map_err(|_| {
        "it is not a 64-bit ELF file; give the linked program, not an archive or object".to_string()
    })?;
    if !header.is_little_endian() {
        return Err("it is big-endian; build for a little-endian target".into());
    }
    if header.e_machine(LE).0 != board.isa.elf_machine() {
        let machine = header.e_machine(LE);
        return Err(format!("it is for machine {machine}, not for {:?}; build it for this board", board.isa));
    }
    match header.e_type(LE) {
        elf::ET_EXEC => Ok(header),
        elf::ET_DYN => Err("it is position-independent; build with `-C relocation-model=static`".into()),
        other => Err(format!("it is of ELF type {other}, not an executable; link it")),
    }
}

fn segments(header: &FileHeader64<LittleEndian>, bytes: &[u8], problems: &mut Vec<String>) -> Vec<Segment> {
    let headers = match header.program_headers(LE, bytes) {
        Ok(headers) if !headers.is_empty() && headers.len() <= 4096 => headers,
        _ => {
            problems.push("it has no usable program headers; link it again".into());
            return Vec::new();
        }
    };
    if headers.iter().any(|h| matches!(h.p_type(LE), elf::PT_INTERP | elf::PT_DYNAMIC)) {
        problems.push("it is dynamically linked; link it statically".into());
    }
    let loads = || headers.iter().filter(|h| h.p_type(LE) == elf::PT_LOAD && h.p_memsz(LE) > 0);
    if loads().fold(0, |sum: u64, load| sum.saturating_add(load.p_memsz(LE))) > MAX_MEMORY {
        problems.push("its segments need more than 1 GiB; put large data into memory regions".into());
        return Vec::new();
    }
    let mut segments = Vec::new();
    for load in loads() {
        match segment(load, bytes) {
            Ok(segment) => segments.push(segment),
            Err(problem) => problems.push(problem),
        }
    }
    segments.sort_by_key(|segment| segment.vaddr);
    constants(headers, &mut segments);
    for pair in segments.windows(2).filter(|pair| pair[0].vaddr + pair[0].size > pair[1].vaddr) {
        let page = pair[1].vaddr;
        problems
            .push(format!("two segments share the page at {page:#x}; align segments to 4 KiB when linking"));
    }
    segments
}

/// What a dynamic loader would write once, and then protect, is constant in a static program: not writable.
fn constants(headers: &[elf::ProgramHeader64<LittleEndian>], segments: &mut [Segment]) {
    for header in headers.iter().filter(|header| header.p_type(LE) == elf::PT_GNU_RELRO) {
        let (start, end) = (header.p_vaddr(LE), header.p_vaddr(LE).saturating_add(header.p_memsz(LE)));
        let inside = |segment: &&mut Segment| segment.vaddr >= start && segment.vaddr + segment.size <= end;
        segments.iter_mut().filter(inside).for_each(|segment| segment.permissions.write = false);
    }
}

fn segment(header: &elf::ProgramHeader64<LittleEndian>, bytes: &[u8]) -> Result<Segment, String> {
    let (start, size, file) = (header.p_vaddr(LE), header.p_memsz(LE), header.p_filesz(LE));
    let name = format!("its segment at {start:#x}");
    let flags = header.p_flags(LE);
    let permissions = Permissions {
        read: flags.0 & elf::PF_R.0 != 0,
        write: flags.0 & elf::PF_W.0 != 0,
        execute: flags.0 & elf::PF_X.0 != 0,
    };
    if permissions.write && permissions.execute {
        return Err(format!("{name} is writable and executable (W^X); separate code and data when linking"));
    }
    if !permissions.read {
        return Err(format!("{name} is not readable; give it the flag R when linking"));
    }
    let end = start.checked_add(size).filter(|end| *end <= 1 << 47);
    let contents = header
        .data(LE, bytes)
        .map_err(|()| format!("{name} lies outside the file; the file is cut short"))?;
    let Some(end) = end.filter(|_| file <= size) else {
        return Err(format!("{name} has impossible sizes ({file:#x} of {size:#x} bytes); link it again"));
    };
    let vaddr = start - start % PAGE;
    let mut data = vec![0; (start - vaddr) as usize];
    data.extend_from_slice(contents);
    let whole_pages = if contents.is_empty() { 0 } else { data.len().next_multiple_of(PAGE as usize) };
    data.resize(whole_pages, 0);
    Ok(Segment { vaddr, data, size: end.next_multiple_of(PAGE) - vaddr, permissions })
}

/// The first `.symtab`, by name; names that exist more than once are counted.
fn symbol_table(bytes: &[u8], board: &Board) -> Result<HashMap<String, Symbol>, String> {
    let header = header(bytes, board)?;
    let stripped = || "it has no symbol table; build with `strip = \"none\"`".to_string();
    let sections = header.sections(LE, bytes).map_err(|_| stripped())?;
    let table: SymbolTable<FileHeader64<LittleEndian>> =
        sections.symbols(LE, bytes, elf::SHT_SYMTAB).map_err(|_| stripped())?;
    if table.is_empty() || !sections.iter().any(|section| section.sh_type(LE) == elf::SHT_SYMTAB) {
        return Err(stripped());
    }
    let mut symbols = HashMap::new();
    for symbol in table.iter() {
        let skipped =
            matches!(symbol.st_type(), elf::STT_FILE | elf::STT_SECTION) || symbol.st_shndx(LE).0 == 0;
        let Ok(name) = table.symbol_name(LE, symbol) else { continue };
        if skipped || name.is_empty() {
            continue;
        }
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let new = Symbol { address: symbol.st_value(LE), size: symbol.st_size(LE), count: 0 };
        symbols.entry(name.to_owned()).or_insert(new).count += 1;
    }
    Ok(symbols)
}
