//! The AArch64 side of the system call (seL4 `libsel4/sel4_arch_include/aarch64/sel4/sel4_arch/syscalls.h`).

use super::sel4::Registers;
use core::arch::{asm, global_asm};

pub(super) const IPC_BUFFER: u64 = ipc_abi::AARCH64_IPC_BUFFER;

// Entry at boot and at every restart: the stack starts at its top, zero-initialised data is zero. Initialised data
// needs no copy, because PD ELFs have none (checked when they are built): patched variables are read-only.
global_asm!(
    ".section .text._start, \"ax\"",
    ".globl _start",
    "_start:",
    "ldr x0, ={stack}",
    "mov sp, x0",
    "adrp x0, __bss_start",
    "add x0, x0, :lo12:__bss_start",
    // A program without zero-initialised data has no such symbol: the linker makes it 0.
    "cbz x0, 2f",
    "adrp x1, _end",
    "add x1, x1, :lo12:_end",
    "1: cmp x0, x1",
    "b.hs 2f",
    "strb wzr, [x0], #1",
    "b 1b",
    "2: mov x29, xzr",
    "mov x30, xzr",
    "adr x0, _start",
    "bl cloister_pd_start",
    "brk #1",
    stack = const ipc_abi::AARCH64_IPC_BUFFER - ipc_abi::STACK_GUARD,
);

#[inline(always)]
pub(super) fn system_call(number: i64, registers: Registers, reply: u64, second: u64) -> Registers {
    let Registers { mut dest, mut info, message: [mut m0, mut m1, mut m2, mut m3] } = registers;
    // SAFETY: the kernel changes only the registers that are listed as outputs and the memory of the IPC buffer,
    // which is accessed through volatile operations only. What a call lets other PDs do happens in regions that
    // are accessed atomically.
    unsafe {
        asm!(
            "svc #0",
            in("x7") number,
            inout("x0") dest,
            inout("x1") info,
            inout("x2") m0,
            inout("x3") m1,
            inout("x4") m2,
            inout("x5") m3,
            in("x6") reply,
            in("x8") second,
            options(nostack),
        );
    }
    Registers { dest, info, message: [m0, m1, m2, m3] }
}

pub(crate) fn ticks() -> u64 {
    let ticks;
    // SAFETY: the kernel lets PDs read the physical counter; reading it changes nothing.
    unsafe { asm!("isb", "mrs {}, cntpct_el0", out(reg) ticks, options(nomem, nostack)) }
    ticks
}

pub(crate) fn frequency() -> u64 {
    let frequency;
    // SAFETY: readable wherever the counter is.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack, pure)) }
    frequency
}

/// Every PD reads it from a register.
pub(crate) fn publish_frequency(_: u64) {}

pub(crate) fn frequency_stands() -> bool {
    true
}

/// Ends the PD with a fault that its parent sees: an undefined instruction.
pub(super) fn abort() -> ! {
    // SAFETY: the instruction is permanently undefined, so control never passes it.
    unsafe { asm!("udf #0xdead", options(noreturn)) }
}

/// Devices of this board are wired.
pub(crate) fn interrupt_message(_: u8) -> Option<(u64, u32)> {
    None
}
