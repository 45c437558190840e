//! The file that a boot loader takes: the image as it is, or in an ELF file where a loader wants one.
//!
//! One design rule: the image's bytes are the same either way. On x86-64 the file is a 64-bit ELF with one segment,
//! the image, and a note with the 32-bit entry point for PVH loaders (Xen `elfnote.h`, type 18); GRUB's `multiboot2`
//! finds its header in the first page of the kernel.

use crate::image::Image;
use board_description::{Board, Isa};

/// Where the image begins in the file: a page, so that loaders can map it.
const CONTENTS: u64 = 0x1000;
const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const NOTE: u64 = HEADER + 2 * PROGRAM_HEADER;
const NOTE_SIZE: u64 = 24;
const PVH_ENTRY: u32 = 18;

impl Image {
    /// The image as a boot loader of this board takes it.
    pub fn file(&self, board: &Board) -> Vec<u8> {
        match board.isa {
            Isa::Aarch64 => self.bytes.clone(),
            Isa::X86_64 => elf(self, board),
        }
    }
}

fn elf(image: &Image, board: &Board) -> Vec<u8> {
    let mut file = header(image.entry, board);
    let size = image.bytes.len() as u64;
    file.extend(program_header(1, 7, CONTENTS, board.image_base, size, 0x1000));
    file.extend(program_header(4, 4, NOTE, 0, NOTE_SIZE, 4));
    file.extend(note(image.entry));
    file.resize(CONTENTS as usize, 0);
    file.extend(&image.bytes);
    file
}

/// `Elf64_Ehdr`.
fn header(entry: u64, board: &Board) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend(2u16.to_le_bytes());
    out.extend(board.isa.elf_machine().to_le_bytes());
    out.extend(1u32.to_le_bytes());
    for word in [entry, HEADER, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0u32.to_le_bytes());
    for half in [HEADER as u16, PROGRAM_HEADER as u16, 2, 0, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    out
}

/// `Elf64_Phdr`; addresses are physical.
fn program_header(kind: u32, flags: u32, offset: u64, address: u64, size: u64, align: u64) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(kind.to_le_bytes());
    out.extend(flags.to_le_bytes());
    for word in [offset, address, address, size, size, align] {
        out.extend(word.to_le_bytes());
    }
    out
}

fn note(entry: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [4, 8, PVH_ENTRY] {
        out.extend(word.to_le_bytes());
    }
    out.extend(b"Xen\0");
    out.extend(entry.to_le_bytes());
    out
}
