//! What the processor must have, what it may have, and turning it on.

use crate::cpu::{cpuid, msr, read_msr, write_msr};
use crate::descriptors::{KERNEL_CODE, USER_BASE};
use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

const FXSR: u32 = 1 << 24;
const SSE2: u32 = 1 << 26;
const APIC: u32 = 1 << 9;
const TSC: u32 = 1 << 4;
const GLOBAL: u32 = 1 << 13;

/// Features that a processor may lack.
pub(crate) const DEADLINE: u32 = 1;
pub(crate) const XSAVE: u32 = 1 << 1;
pub(crate) const FS_GS: u32 = 1 << 2;
pub(crate) const SMEP: u32 = 1 << 3;
pub(crate) const SMAP: u32 = 1 << 4;
pub(crate) const UMIP: u32 = 1 << 5;

/// Their names.
pub(crate) const NAMES: [(u32, &str); 6] = [
    (DEADLINE, "tsc-deadline"),
    (XSAVE, "xsave"),
    (FS_GS, "fsgsbase"),
    (SMEP, "smep"),
    (SMAP, "smap"),
    (UMIP, "umip"),
];

static OPTIONAL: AtomicU32 = AtomicU32::new(0);

/// The name of a feature that the kernel needs and this processor lacks, as QEMU's `-cpu` has it.
pub(crate) fn missing() -> Option<&'static str> {
    let basic = cpuid(1, 0).edx;
    let needed = [(TSC, "tsc"), (APIC, "apic"), (GLOBAL, "pge"), (FXSR, "fxsr"), (SSE2, "sse2")];
    needed.iter().find(|(bit, _)| basic & bit == 0).map(|(_, name)| *name)
}

/// Looks which of the others there are.
pub(crate) fn detect() {
    let (basic, extended) = (cpuid(1, 0).ecx, cpuid(7, 0));
    let all = [
        (basic >> 24 & 1, DEADLINE),
        (basic >> 26 & 1, XSAVE),
        (extended.ebx & 1, FS_GS),
        (extended.ebx >> 7 & 1, SMEP),
        (extended.ebx >> 20 & 1, SMAP),
        (extended.ecx >> 2 & 1, UMIP),
    ];
    let found = all.iter().filter(|(there, _)| *there == 1).map(|(_, feature)| *feature).sum();
    OPTIONAL.store(found, Ordering::Relaxed);
}

/// Whether the processor has an optional feature.
#[inline(always)]
pub(crate) fn has(feature: u32) -> bool {
    OPTIONAL.load(Ordering::Relaxed) & feature != 0
}

/// Monitor coprocessor, numeric error, write protection; no emulation.
const CR0: u64 = 0x8001_0033;
/// Large addresses, global pages, FXSAVE, SIMD exceptions.
const CR4: u64 = 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10;
/// Cleared at a system call: trap, interrupts, direction, I/O privilege, nested task, alignment check.
const SYSCALL_MASK: u64 = 0x4_7700;

/// Sets the executing core's control registers and its entry for system calls.
pub(crate) fn enable() {
    let optional = [(XSAVE, 18), (FS_GS, 16), (SMEP, 20), (SMAP, 21), (UMIP, 11)];
    let cr4 = optional.iter().filter(|(feature, _)| has(*feature)).fold(CR4, |cr4, (_, bit)| cr4 | 1 << bit);
    let star = u64::from(USER_BASE | 3) << 48 | u64::from(KERNEL_CODE) << 32;
    // SAFETY: the bits are those of features that the processor has; kernel pages are not user pages, so SMEP and
    // SMAP forbid nothing that the kernel does; the entry point stands.
    unsafe {
        asm!("mov cr0, {}", "mov cr4, {}", in(reg) CR0, in(reg) cr4, options(nostack, preserves_flags));
        write_msr(msr::STAR, star);
        write_msr(msr::LSTAR, crate::entry::cloister_syscall_entry as *const () as u64);
        write_msr(msr::FMASK, SYSCALL_MASK);
        let efer = read_msr(msr::EFER);
        write_msr(msr::EFER, efer | 1);
    }
}

/// A thread may have set the flag that lets the kernel touch user pages; interrupts do not clear it.
#[inline(always)]
pub(crate) fn close_user_pages() {
    if has(SMAP) {
        // SAFETY: the processor has the instruction; it only forbids.
        unsafe { asm!("clac", options(nomem, nostack)) }
    }
}
