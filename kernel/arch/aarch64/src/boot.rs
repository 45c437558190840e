//! First instructions: Linux `Image` header, EL2 to EL1, MMU on, stack, `.bss`, then Rust.
//!
//! One design rule: until the MMU is on, code is assembler without absolute addresses. The boot tables are constants
//! in the image, because its physical address is fixed; [`crate::mmu`] replaces them at once.

use crate::percpu::STACK;
use core::arch::global_asm;

/// Boot tables: 1 GiB blocks, the first for devices, the rest as normal memory; the same for both halves.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".rodata.boot_table")]
static CLOISTER_BOOT_TABLE: Table = Table(boot_table());

#[repr(C, align(4096))]
struct Table([u64; 512]);

const fn boot_table() -> [u64; 512] {
    // Valid block, accessed, inner shareable; attribute 0 is normal memory, 1 device memory (`Aarch64::MAIR`).
    let mut table = [0; 512];
    table[0] = 0x0060_0000_0000_0401 | 1 << 2;
    let mut i = 1;
    while i < 512 {
        table[i] = (i as u64) << 30 | 0x701;
        i += 1;
    }
    table
}

global_asm!(
    ".section .head, \"ax\"",
    ".globl _start",
    "_start:",
    "b cloister_primary",
    ".long 0",
    ".quad 0x200000",       // text_offset: from the start of RAM
    ".quad __image_size",   // replaced by the image builder with the size of the whole image
    ".quad 2",              // little-endian, 4 KiB pages, near the start of RAM
    ".quad 0, 0, 0",
    ".ascii \"ARM\\x64\"",
    ".long 0",
    //
    // x0: device tree. Everything else is unknown.
    "cloister_primary:",
    "msr daifset, #0xf",
    "mov x20, x0",
    "bl to_el1",
    "bl mmu_on",
    "ldr x0, =cloister_stack_0",
    "mov x1, #0",
    "bl set_stack",
    "ldr x1, =__bss_start",
    "ldr x2, =__bss_end",
    "1: cmp x1, x2",
    "b.hs 2f",
    "stp xzr, xzr, [x1], #16",
    "b 1b",
    "2: mov x0, x20",
    "ldr x30, =cloister_start",
    "br x30",
    //
    // x0: number of the core, from PSCI's context argument.
    ".globl cloister_secondary",
    "cloister_secondary:",
    "msr daifset, #0xf",
    "mov x20, x0",
    "bl to_el1",
    "bl mmu_on",
    "ldr x0, =cloister_stack_0",
    "mov x1, x20",
    "mov x2, #{stack}",
    "madd x0, x1, x2, x0",
    "bl set_stack",
    "mov x0, x20",
    "ldr x30, =cloister_start_secondary",
    "br x30",
    //
    // Stack and per-core record of core x1: the record lies at the top of the stack, TPIDR_EL1 points to it.
    "set_stack:",
    "mov x9, #({stack} - 256)",
    "add x0, x0, x9",
    "msr tpidr_el1, x0",
    "msr spsel, #1",
    "mov sp, x0",
    "ret",
    //
    "to_el1:",
    "mrs x9, CurrentEL",
    "cmp x9, #8",
    "b.ne 1f",
    "mov x9, #(1 << 31)",       // EL1 is AArch64; nothing traps to EL2
    "msr hcr_el2, x9",
    "mov x9, #3",               // EL1 may use the physical counter and timer
    "msr cnthctl_el2, x9",
    "msr cntvoff_el2, xzr",
    "mov x9, #0x33ff",          // no FPU traps
    "msr cptr_el2, x9",
    "msr hstr_el2, xzr",
    "msr vttbr_el2, xzr",
    "mrs x9, midr_el1",
    "msr vpidr_el2, x9",
    "mrs x9, mpidr_el1",
    "msr vmpidr_el2, x9",
    "ldr x9, ={sctlr_off}",
    "msr sctlr_el1, x9",
    "mov x9, #0x3c5",           // EL1h, all interrupts masked
    "msr spsr_el2, x9",
    "msr elr_el2, x30",
    "eret",
    "1: ret",
    //
    // Turns the MMU on with the boot tables and returns to the high address of the caller.
    "mmu_on:",
    "adrp x9, CLOISTER_BOOT_TABLE",
    "add x9, x9, :lo12:CLOISTER_BOOT_TABLE",
    "msr ttbr0_el1, x9",
    "msr ttbr1_el1, x9",
    "mov x9, #{mair}",
    "msr mair_el1, x9",
    "ldr x9, ={tcr}",
    "mrs x10, id_aa64mmfr0_el1",
    "bfi x9, x10, #32, #3",     // physical address size as the core has it
    "msr tcr_el1, x9",
    "isb",
    "tlbi vmalle1",
    "ic iallu",
    "dsb sy",
    "isb",
    "ldr x9, ={sctlr_on}",
    "msr sctlr_el1, x9",
    "isb",
    "ldr x9, ={base}",
    "orr x30, x30, x9",
    "ret",
    //
    // x0: table of the kernel's half, x1: of the lower half, x2: TCR_EL1, x3: SCTLR_EL1. Called with the boot tables
    // on. From the identity map, so that no address is translated by two different tables at once.
    ".globl cloister_switch_tables",
    "cloister_switch_tables:",
    "ldr x9, ={base}",
    "adr x10, 1f",
    "bic x10, x10, x9",
    "br x10",
    "1: msr ttbr1_el1, x1",
    "isb",
    "tlbi vmalle1",
    "dsb nsh",
    "isb",
    "msr ttbr1_el1, x0",
    "isb",
    "adr x10, 2f",
    "orr x10, x10, x9",
    "br x10",
    "2: msr ttbr0_el1, x1",
    "msr tcr_el1, x2",
    "isb",
    "tlbi vmalle1",
    "dsb nsh",
    "isb",
    "msr sctlr_el1, x3",
    "isb",
    "ret",
    ".ltorg",
    stack = const STACK,
    sctlr_off = const crate::mmu::SCTLR_OFF,
    sctlr_on = const crate::mmu::SCTLR_ON,
    mair = const crate::mmu::MAIR,
    tcr = const crate::mmu::TCR_BOOT,
    base = const crate::linear::BASE,
);

unsafe extern "C" {
    /// Entry of the further cores, a physical address once [`crate::linear::BASE`] is taken off.
    pub(crate) fn cloister_secondary();
    /// Replaces the boot tables.
    pub(crate) fn cloister_switch_tables(kernel: u64, lower: u64, tcr: u64, sctlr: u64);
}
