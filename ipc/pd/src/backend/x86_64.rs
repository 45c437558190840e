//! The x86-64 side of the system call (seL4 `libsel4/arch_include/x86/sel4/arch/syscalls_syscall.h`).

use super::sel4::Registers;
use core::arch::{
    asm, global_asm,
    x86_64::{__cpuid, _rdtsc},
};
use core::sync::atomic::{AtomicU64, Ordering};

pub(super) const IPC_BUFFER: u64 = ipc_abi::X86_64_IPC_BUFFER;

global_asm!(
    ".section .text._start, \"ax\"",
    ".globl _start",
    "_start:",
    "movabs rsp, {stack}",
    // A program without zero-initialised data has no such symbol: the linker makes it 0.
    "movabs rdi, offset __bss_start",
    "test rdi, rdi",
    "jz 2f",
    "lea rcx, [rip + _end]",
    "sub rcx, rdi",
    "xor eax, eax",
    "rep stosb",
    "2: xor ebp, ebp",
    "lea rdi, [rip + _start]",
    "call cloister_pd_start",
    "ud2",
    ".weak __bss_start",
    stack = const ipc_abi::X86_64_IPC_BUFFER - ipc_abi::STACK_GUARD,
);

#[inline(always)]
pub(super) fn system_call(number: i64, registers: Registers, reply: u64, second: u64) -> Registers {
    let Registers { mut dest, mut info, message: [mut m0, mut m1, mut m2, mut m3] } = registers;
    // SAFETY: the kernel changes only the registers that are listed as outputs and the memory of the IPC buffer,
    // which is accessed through volatile operations only; rsp is saved in r14 and restored.
    unsafe {
        asm!(
            "mov r14, rsp",
            "syscall",
            "mov rsp, r14",
            in("rdx") number,
            inout("rdi") dest,
            inout("rsi") info,
            inout("r10") m0,
            inout("r8") m1,
            inout("r9") m2,
            inout("r15") m3,
            in("r12") reply,
            in("r13") second,
            out("rcx") _,
            out("r11") _,
            out("r14") _,
        );
    }
    Registers { dest, info, message: [m0, m1, m2, m3] }
}

pub(crate) fn ticks() -> u64 {
    // SAFETY: the time stamp counter is readable in user mode, and reading it changes nothing.
    unsafe { _rdtsc() }
}

/// Frequencies that a time stamp counter may have, in Hz.
const PLAUSIBLE: core::ops::RangeInclusive<u64> = 100_000_000..=20_000_000_000;

/// What was told first, or published; 0: nothing yet.
static TOLD: AtomicU64 = AtomicU64::new(0);

/// The time stamp counter's frequency. No instruction tells it to a PD: one PD measures it and publishes it on a page
/// that all read (see [`publish_frequency`]). 1 GHz until then, and where there is no such page. The first plausible
/// value counts: whoever may write the page cannot turn the time of those who have read it.
pub(crate) fn frequency() -> u64 {
    match TOLD.load(Ordering::Relaxed) {
        0 => first_frequency(),
        hertz => hertz,
    }
}

fn first_frequency() -> u64 {
    let hertz = clock_page().map_or(0, |page| page.load(Ordering::Relaxed));
    if !PLAUSIBLE.contains(&hertz) {
        return 1_000_000_000;
    }
    TOLD.store(hertz, Ordering::Relaxed);
    hertz
}

/// Tells all PDs the frequency; only a PD that may write the clock page calls this.
pub(crate) fn publish_frequency(hertz: u64) {
    if let Some(page) = clock_page() {
        page.store(hertz, Ordering::Relaxed);
        TOLD.store(hertz, Ordering::Relaxed);
    }
}

/// Whether the page says what was published.
pub(crate) fn frequency_stands() -> bool {
    let told = TOLD.load(Ordering::Relaxed);
    told == 0 || clock_page().is_none_or(|page| page.load(Ordering::Relaxed) == told)
}

/// The page that `setvar_vaddr="clock_page"` names.
fn clock_page() -> Option<&'static AtomicU64> {
    #[unsafe(no_mangle)]
    #[used]
    #[allow(non_upper_case_globals)]
    static clock_page: u64 = 0;
    // SAFETY: a reference is valid to read; volatile because the image builder changes it.
    let address = unsafe { core::ptr::read_volatile(&clock_page) };
    // SAFETY: the image builder set the variable to a mapped page that lives as long as the PD; all sides use atomics.
    (address != 0).then(|| unsafe { &*(address as *const AtomicU64) })
}

/// Where a device writes to interrupt the executing core, and what for the vector of the description's number `vector`
/// (Intel SDM volume 3, 11.11; both kernels begin with vector 0x30).
pub(crate) fn interrupt_message(vector: u8) -> Option<(u64, u32)> {
    let apic = u64::from(__cpuid(1).ebx >> 24);
    Some((0xfee0_0000 | apic << 12, 0x30 + u32::from(vector)))
}

/// Ends the PD with a fault that its parent sees: an undefined instruction.
pub(super) fn abort() -> ! {
    // SAFETY: the instruction is undefined, so control never passes it.
    unsafe { asm!("ud2", options(noreturn)) }
}
