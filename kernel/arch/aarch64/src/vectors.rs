//! Exception vectors. While a thread runs, `SP_EL1` points to its [`crate::context::Context`]; in the kernel it points
//! to the core's stack, whose top `TPIDR_EL1` holds.

use crate::context::Context;
use core::arch::global_asm;
use core::mem::offset_of;

const _: () = assert!(offset_of!(Context, sp) == 248 && offset_of!(Context, pc) == 256);
const _: () = assert!(offset_of!(Context, spsr) == 264 && offset_of!(Context, restart_pc) == 272);

global_asm!(
    ".macro save_all",
    "stp x0, x1, [sp, #0]",
    "stp x2, x3, [sp, #16]",
    "stp x4, x5, [sp, #32]",
    "stp x6, x7, [sp, #48]",
    "stp x8, x9, [sp, #64]",
    "stp x10, x11, [sp, #80]",
    "stp x12, x13, [sp, #96]",
    "stp x14, x15, [sp, #112]",
    "stp x16, x17, [sp, #128]",
    "stp x18, x19, [sp, #144]",
    "stp x20, x21, [sp, #160]",
    "stp x22, x23, [sp, #176]",
    "stp x24, x25, [sp, #192]",
    "stp x26, x27, [sp, #208]",
    "stp x28, x29, [sp, #224]",
    "mrs x21, sp_el0",
    "mrs x22, elr_el1",
    "mrs x23, spsr_el1",
    "stp x30, x21, [sp, #240]",
    "stp x22, x23, [sp, #256]",
    ".endm",
    //
    ".macro invalid kind",
    ".balign 128",
    "mov x0, #\\kind",
    "mrs x1, tpidr_el1",
    "mov sp, x1",
    "b cloister_kernel_fault",
    ".endm",
    //
    ".section .vectors, \"ax\"",
    ".balign 2048",
    ".globl cloister_vectors",
    "cloister_vectors:",
    "invalid 0",
    "invalid 1",
    "invalid 2",
    "invalid 3",
    "invalid 4",
    "invalid 5",
    "invalid 6",
    "invalid 7",
    ".balign 128",
    "b lower_sync",
    ".balign 128",
    "b lower_irq",
    "invalid 10",
    "invalid 11",
    "invalid 12",
    "invalid 13",
    "invalid 14",
    "invalid 15",
    //
    ".balign 64",
    "lower_sync:",
    "save_all",
    "mrs x1, esr_el1",
    "mrs x2, tpidr_el1",
    "mov x0, sp",
    "lsr x3, x1, #26",
    "mov sp, x2",
    "cmp x3, #0x15",
    "b.ne 1f",
    "sub x22, x22, #4",
    "str x22, [x0, #272]",
    "bl cloister_syscall",
    "b cloister_resume",
    "1: str x22, [x0, #272]",
    "bl cloister_exception",
    "b cloister_resume",
    //
    "lower_irq:",
    "save_all",
    "mrs x2, tpidr_el1",
    "str x22, [sp, #272]",
    "mov sp, x2",
    "bl cloister_interrupt",
    //
    // x0: context to continue.
    ".globl cloister_resume",
    "cloister_resume:",
    "mov sp, x0",
    "ldp x30, x21, [sp, #240]",
    "ldp x22, x23, [sp, #256]",
    "msr sp_el0, x21",
    "msr elr_el1, x22",
    "msr spsr_el1, x23",
    "ldp x0, x1, [sp, #0]",
    "ldp x2, x3, [sp, #16]",
    "ldp x4, x5, [sp, #32]",
    "ldp x6, x7, [sp, #48]",
    "ldp x8, x9, [sp, #64]",
    "ldp x10, x11, [sp, #80]",
    "ldp x12, x13, [sp, #96]",
    "ldp x14, x15, [sp, #112]",
    "ldp x16, x17, [sp, #128]",
    "ldp x18, x19, [sp, #144]",
    "ldp x20, x21, [sp, #160]",
    "ldp x22, x23, [sp, #176]",
    "ldp x24, x25, [sp, #192]",
    "ldp x26, x27, [sp, #208]",
    "ldp x28, x29, [sp, #224]",
    "eret",
);

unsafe extern "C" {
    /// The table for `VBAR_EL1`.
    pub(crate) static cloister_vectors: u8;
    /// Leaves the kernel for a thread.
    pub(crate) fn cloister_resume(context: *const Context) -> !;
}
