//! Address spaces: the kernel's own, with code read-only and everything else not executable, and one per PD.

use crate::linear;
use crate::registers::{dsb, read};
use kernel_arch_common::{Sections, attributes};
use kernel_spec::{Mapping, Spec};
use memory_paging::{Aarch64, Access, Attributes, Format, MapError, Memory, TableMemory};

const SCTLR_RES1: u64 = 0x30d0_0800;
/// MMU and caches off.
pub(crate) const SCTLR_OFF: u64 = SCTLR_RES1;
/// MMU and caches on; EL0 may clean caches by address and zero by block, as on seL4.
pub(crate) const SCTLR_ON: u64 = SCTLR_RES1 | 0x0400_d01d;
/// Nothing writable is executable.
const SCTLR_WXN: u64 = 1 << 19;
pub(crate) const MAIR: u64 = Aarch64::MAIR;
const TCR: u64 = 25 << 16 | 0x3500 | 0x3500 << 16 | 2 << 30;
/// 39-bit halves.
pub(crate) const TCR_BOOT: u64 = TCR | 25;
/// PDs have 40 bits.
const USER_BITS: u64 = 24;

const GIB: u64 = 1 << 30;
const BLOCK: u64 = 1 << 21;
const PAGE: u64 = 1 << 12;

type KernelTable = kernel_arch_common::KernelTable<{ linear::BASE }>;

static LEVEL_1: KernelTable = KernelTable::empty();
static LEVEL_2: [KernelTable; 3] = [const { KernelTable::empty() }; 3];
static LEVEL_3: KernelTable = KernelTable::empty();
static EMPTY: KernelTable = KernelTable::empty();

unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static cloister_stack_0: u8;
}

/// Builds the kernel's address space: `devices` (2 MiB blocks) and RAM from `base` to `end`, and turns it on.
pub(crate) fn init(devices: &[u64], (base, end): (u64, u64)) {
    let device = Attributes { memory: Memory::Device, access: Access::KernelWrite };
    LEVEL_1.set(0, Aarch64::table(LEVEL_2[0].physical()));
    for address in devices {
        LEVEL_2[0].set((address >> 21) as usize & 511, Aarch64::leaf(device, address & !(BLOCK - 1), true));
    }
    let kernel = linear::physical(&raw const __text_start);
    for start in (base..end).step_by(GIB as usize) {
        let whole = end - start >= GIB;
        let has_kernel = kernel / GIB == start / GIB;
        match (has_kernel, whole) {
            (false, true) => LEVEL_1.set((start / GIB) as usize, Aarch64::leaf(DATA, start, true)),
            (true, _) => blocks(&LEVEL_2[1], start, end),
            (false, false) => blocks(&LEVEL_2[2], start, end),
        }
    }
    LEVEL_2[1].set((kernel / BLOCK) as usize & 511, Aarch64::table(LEVEL_3.physical()));
    kernel_pages(kernel & !(BLOCK - 1));
    adopt();
}

const DATA: Attributes = Attributes { memory: Memory::Normal, access: Access::KernelWrite };

/// Maps the 2 MiB blocks of one GiB that are RAM.
fn blocks(table: &KernelTable, start: u64, end: u64) {
    LEVEL_1.set((start / GIB) as usize, Aarch64::table(table.physical()));
    for address in (start..end.min(start + GIB)).step_by(BLOCK as usize) {
        table.set((address / BLOCK) as usize & 511, Aarch64::leaf(DATA, address, true));
    }
}

/// Maps the 2 MiB that hold the kernel by page; the lowest page of each stack stays unmapped.
fn kernel_pages(block: u64) {
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
        let entry = sections.attributes(page).map_or(0, |how| Aarch64::leaf(how, page, false));
        LEVEL_3.set(index as usize, entry);
    }
}

/// Turns the kernel's address space on for the executing core, with an empty lower half.
pub(crate) fn adopt() {
    dsb();
    let tcr = read!("tcr_el1") & !0x3f | USER_BITS;
    // SAFETY: the kernel's half maps the executing code, stack and data at the addresses in use, and the lower half
    // still is the boot tables' identity map, which the routine leaves last.
    unsafe {
        crate::boot::cloister_switch_tables(LEVEL_1.physical(), EMPTY.physical(), tcr, SCTLR_ON | SCTLR_WXN);
    }
}

/// Translation base of a core without a thread.
pub(crate) fn no_space() -> u64 {
    EMPTY.physical()
}

/// Page tables of PDs.
pub(crate) type Pool = kernel_arch_common::Pool<{ linear::BASE }>;

/// Builds the address space of a PD and returns its translation base with its ASID.
///
/// # Errors
/// [`MapError`], when the description contradicts itself.
pub(crate) fn space(pool: &mut Pool, spec: &Spec<'_>, pd: usize) -> Result<u64, MapError> {
    let root = pool.allocate().ok_or(MapError::OutOfTables)?;
    for mapping in spec.mappings.iter().filter(|mapping| usize::from(mapping.pd.get()) == pd) {
        let range = (mapping.vaddr.get(), mapping.paddr.get(), mapping.size.get());
        memory_paging::map::<Aarch64, _>(pool, root, range, mapping.page_bits, attributes(mapping))?;
        if mapping.permissions & Mapping::EXECUTE != 0 {
            publish_code(mapping.paddr.get(), mapping.size.get());
        }
    }
    Ok(root | (pd as u64 + 1) << 48)
}

/// Makes code that lies in memory visible to instruction fetches.
fn publish_code(physical: u64, size: u64) {
    let start = linear::address(physical);
    let line = 4 << (read!("ctr_el0") >> 16 & 0xf);
    for address in (start..start + size as usize).step_by(line) {
        // SAFETY: cleaning a line of mapped RAM changes no contents.
        unsafe { core::arch::asm!("dc cvau, {}", in(reg) address, options(nostack, preserves_flags)) }
    }
    // SAFETY: dropping cached instructions only costs time.
    unsafe { core::arch::asm!("dsb ish", "ic ialluis", "dsb ish", "isb", options(nostack, preserves_flags)) }
}

/// Clears RAM; both ends are multiples of 4 KiB.
pub(crate) fn zero(physical: u64, size: u64) {
    let start = linear::address(physical);
    let block = 4usize << (read!("dczid_el0") & 0xf);
    for address in (start..start + size as usize).step_by(block) {
        // SAFETY: the caller names RAM of this image that holds nothing yet; `DC ZVA` clears the aligned block.
        unsafe { core::arch::asm!("dc zva, {}", in(reg) address, options(nostack, preserves_flags)) }
    }
}
