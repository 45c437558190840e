//! Address spaces: the kernel's own, with code read-only and everything else not executable, and one per PD, which
//! holds the kernel's half as well.

use crate::linear;
use core::arch::asm;
use kernel_arch_common::{Sections, attributes};
use kernel_spec::Spec;
use memory_paging::{Access, Attributes, Format, MapError, Memory, TableMemory, X86_64};

const GIB: u64 = 1 << 30;
const BLOCK: u64 = 1 << 21;
const PAGE: u64 = 1 << 12;
/// Entries of the top table: the linear map and the image.
const LINEAR: usize = 256;
const IMAGE: usize = 511;

type KernelTable = kernel_arch_common::KernelTable<{ linear::IMAGE }>;

static ROOT: KernelTable = KernelTable::empty();
static LINEAR_3: KernelTable = KernelTable::empty();
static LINEAR_2: [KernelTable; 4] = [const { KernelTable::empty() }; 4];
static IMAGE_3: KernelTable = KernelTable::empty();
static IMAGE_2: KernelTable = KernelTable::empty();
static IMAGE_1: KernelTable = KernelTable::empty();

unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static cloister_stack_0: u8;
}

const DATA: Attributes = Attributes { memory: Memory::Normal, access: Access::KernelWrite };
const DEVICE: Attributes = Attributes { memory: Memory::Device, access: Access::KernelWrite };

/// Builds the kernel's address space: RAM up to `end` and `devices`, by 2 MiB, and turns it on. The image's 2 MiB
/// have the same table in both views, so that its code is read-only in both.
pub(crate) fn init(devices: impl Iterator<Item = u64>, end: u64) {
    ROOT.set(LINEAR, X86_64::table(LINEAR_3.physical()));
    ROOT.set(IMAGE, X86_64::table(IMAGE_3.physical()));
    for (index, table) in LINEAR_2.iter().enumerate() {
        LINEAR_3.set(index, X86_64::table(table.physical()));
    }
    for address in (0..end.min(linear::END)).step_by(BLOCK as usize) {
        set_block(address, X86_64::leaf(DATA, address, true));
    }
    for address in devices.map(|address| address & !(BLOCK - 1)).filter(|address| *address < linear::END) {
        set_block(address, X86_64::leaf(DEVICE, address, true));
    }
    let block = linear::physical(&raw const __text_start) & !(BLOCK - 1);
    set_block(block, X86_64::table(IMAGE_1.physical()));
    IMAGE_3.set(510, X86_64::table(IMAGE_2.physical()));
    IMAGE_2.set((block / BLOCK) as usize & 511, X86_64::table(IMAGE_1.physical()));
    image_pages(block);
    adopt();
}

fn set_block(address: u64, entry: u64) {
    LINEAR_2[(address / GIB) as usize & 3].set((address / BLOCK) as usize & 511, entry);
}

/// Maps the image's 2 MiB by page; the lowest page of each stack stays unmapped.
fn image_pages(block: u64) {
    let of = |symbol: *const u8| linear::physical(symbol);
    let sections = Sections {
        text: of(&raw const __text_start),
        constants: of(&raw const __text_end),
        data: of(&raw const __rodata_end),
        stacks: of(&raw const cloister_stack_0),
        stack: crate::percpu::STACK as u64,
    };
    for index in 0..512u64 {
        let page = block + index * PAGE;
        let entry = sections.attributes(page).map_or(0, |how| X86_64::leaf(how, page, false));
        IMAGE_1.set(index as usize, entry);
    }
}

/// Turns the kernel's address space on for the executing core, with an empty lower half.
pub(crate) fn adopt() {
    // SAFETY: it maps the executing code, stack and data at the addresses in use.
    unsafe { switch(no_space()) }
}

/// Translation base of a core without a thread.
pub(crate) fn no_space() -> u64 {
    ROOT.physical()
}

/// Makes a top table the executing core's.
///
/// # Safety
/// It came from [`space`] or [`no_space`].
#[inline(always)]
pub(crate) unsafe fn switch(base: u64) {
    // SAFETY: both hold the kernel's half, and the lower half maps nothing that the kernel uses.
    unsafe { asm!("mov cr3, {}", in(reg) base, options(nostack, preserves_flags)) }
}

/// Page tables of PDs.
pub(crate) type Pool = kernel_arch_common::Pool<{ linear::BASE }>;

/// Builds the address space of a PD and returns its translation base.
///
/// # Errors
/// [`MapError`], when the description contradicts itself.
pub(crate) fn space(pool: &mut Pool, spec: &Spec<'_>, pd: usize) -> Result<u64, MapError> {
    let root = pool.allocate().ok_or(MapError::OutOfTables)?;
    for mapping in spec.mappings.iter().filter(|mapping| usize::from(mapping.pd.get()) == pd) {
        let range = (mapping.vaddr.get(), mapping.paddr.get(), mapping.size.get());
        if range.0.saturating_add(range.2) > 1 << 47 {
            return Err(MapError::Alignment);
        }
        memory_paging::map::<X86_64, _>(pool, root, range, mapping.page_bits, attributes(mapping))?;
    }
    pool.write(root, LINEAR, X86_64::table(LINEAR_3.physical()));
    pool.write(root, IMAGE, X86_64::table(IMAGE_3.physical()));
    Ok(root)
}

/// Clears RAM; both ends are multiples of 4 KiB.
pub(crate) fn zero(physical: u64, size: u64) {
    // SAFETY: the caller names RAM of this image that holds nothing yet, inside the linear map.
    unsafe { (linear::address(physical) as *mut u8).write_bytes(0, size as usize) }
}
