//! Start information: PVH's `hvm_start_info` (Xen `start_info.h`, version 1) and Multiboot2's list of tags
//! (specification 2.0, 3.6).

use super::{CommandLine, Physical};
use core::fmt;

/// What a Multiboot2 loader leaves in EAX.
pub const MULTIBOOT2: u32 = 0x36d7_6289;
const PVH: u64 = 0x336e_c578;
const RAM: u64 = 1;
/// Bytes of tags that are looked at.
const MAX_TAGS: u64 = 64 * 1024;
/// Entries of a memory map that are looked at.
const MAX_ENTRIES: u64 = 256;

const TAG_END: u64 = 0;
const TAG_COMMAND: u64 = 1;
const TAG_MEMORY_MAP: u64 = 6;
const TAG_OLD_RSDP: u64 = 14;
const TAG_NEW_RSDP: u64 = 15;

/// Why the start information is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootError {
    /// Neither PVH nor Multiboot2: start the image with one of them.
    UnknownLoader,
    /// No memory map in it, or none that holds the image: the loader is too old.
    NoMemoryMap,
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownLoader => "the boot loader speaks neither PVH nor Multiboot2",
            Self::NoMemoryMap => "the boot loader's memory map names no RAM where the image lies",
        })
    }
}

/// By which protocol the image was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loader {
    /// Xen's, which QEMU's `-kernel` speaks.
    Pvh,
    /// GRUB's.
    Multiboot2,
}

/// What a boot loader says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootInfo {
    /// How it was said.
    pub loader: Loader,
    /// RAM around the image: first byte, and first byte past it.
    pub ram: (u64, u64),
    /// Address of ACPI's root pointer, if the loader says.
    pub rsdp: Option<u64>,
    /// What a person told it to pass on.
    pub command: CommandLine,
}

impl BootInfo {
    /// Reads what the loader left at `info`; `magic` is what it left in EAX, and `image` lies in the RAM asked for.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn read(memory: &impl Physical, magic: u32, info: u64, image: u64) -> Result<Self, BootError> {
        let found = if magic == MULTIBOOT2 {
            multiboot2(memory, info, image)
        } else if memory.number::<4>(info) == Some(PVH) {
            pvh(memory, info, image)
        } else {
            return Err(BootError::UnknownLoader);
        };
        found.ok_or(BootError::NoMemoryMap)
    }
}

fn pvh(memory: &impl Physical, info: u64, image: u64) -> Option<BootInfo> {
    if memory.number::<4>(info + 4)? < 1 {
        return None;
    }
    let rsdp = memory.number::<8>(info + 32).filter(|address| *address != 0);
    let map = Map {
        first: memory.number::<8>(info + 40)?,
        count: memory.number::<4>(info + 48)?.min(MAX_ENTRIES),
        stride: 24,
    };
    let said = memory.number::<8>(info + 24).filter(|address| *address != 0);
    let command = said.map_or(CommandLine::EMPTY, |said| CommandLine::read(memory, said, u64::MAX));
    Some(BootInfo { loader: Loader::Pvh, ram: map.around(memory, image)?, rsdp, command })
}

fn multiboot2(memory: &impl Physical, info: u64, image: u64) -> Option<BootInfo> {
    let total = memory.number::<4>(info)?.min(MAX_TAGS);
    let (mut ram, mut rsdp, mut command) = (None, None, CommandLine::EMPTY);
    let mut at = 8;
    while at + 8 <= total {
        let (kind, size) = (memory.number::<4>(info + at)?, memory.number::<4>(info + at + 4)?);
        if kind == TAG_END || size < 8 || at + size > total {
            break;
        }
        let contents = info + at + 8;
        match kind {
            TAG_MEMORY_MAP => ram = memory_map(memory, contents, size - 8, image),
            TAG_COMMAND => command = CommandLine::read(memory, contents, size - 8),
            TAG_OLD_RSDP if rsdp.is_none() => rsdp = Some(contents),
            TAG_NEW_RSDP => rsdp = Some(contents),
            _ => {}
        }
        at += size.next_multiple_of(8);
    }
    Some(BootInfo { loader: Loader::Multiboot2, ram: ram?, rsdp, command })
}

/// `contents`: bytes of an entry, its version, entries.
fn memory_map(memory: &impl Physical, contents: u64, size: u64, image: u64) -> Option<(u64, u64)> {
    let stride = memory.number::<4>(contents)?;
    let count = size.checked_sub(8)?.checked_div(stride)?.min(MAX_ENTRIES);
    (stride >= 24).then_some(Map { first: contents + 8, count, stride })?.around(memory, image)
}

/// Entries of address, size and type; both protocols have them alike.
struct Map {
    first: u64,
    count: u64,
    stride: u64,
}

impl Map {
    /// The RAM that holds `image`, with what follows it without a gap.
    fn around(&self, memory: &impl Physical, image: u64) -> Option<(u64, u64)> {
        let mut found: Option<(u64, u64)> = None;
        for index in 0..self.count {
            let entry = self.first + index * self.stride;
            let (start, size) = (memory.number::<8>(entry)?, memory.number::<8>(entry + 8)?);
            let end = start.saturating_add(size);
            if memory.number::<4>(entry + 16)? != RAM {
                continue;
            }
            match &mut found {
                None if start <= image && image < end => found = Some((start, end)),
                Some((_, last)) if *last == start => *last = end,
                _ => {}
            }
        }
        found
    }
}
