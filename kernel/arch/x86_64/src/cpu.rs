//! Instructions by name.

use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, _rdtsc, CpuidResult};

/// Model-specific registers (Intel SDM volume 4).
pub(crate) mod msr {
    pub const APIC_BASE: u32 = 0x1b;
    pub const TSC_DEADLINE: u32 = 0x6e0;
    pub const EFER: u32 = 0xc000_0080;
    pub const STAR: u32 = 0xc000_0081;
    pub const LSTAR: u32 = 0xc000_0082;
    pub const FMASK: u32 = 0xc000_0084;
    pub const FS_BASE: u32 = 0xc000_0100;
    pub const GS_BASE: u32 = 0xc000_0101;
    /// GS base of the other privilege level: a thread's while the kernel runs.
    pub const KERNEL_GS_BASE: u32 = 0xc000_0102;
}

/// Identification leaf; zeros where the processor has none of this number.
pub(crate) fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    let highest = __cpuid_count(leaf & 0x8000_0000, 0).eax;
    if leaf > highest {
        return CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    }
    __cpuid_count(leaf, subleaf)
}

/// Reads a model-specific register.
///
/// # Safety
/// The register exists.
pub(crate) unsafe fn read_msr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller promised that it exists; reading these has no effect.
    unsafe {
        asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags))
    };
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
/// The register exists and takes the value, and the kernel stands what it does.
pub(crate) unsafe fn write_msr(register: u32, value: u64) {
    let (low, high) = (value as u32, (value >> 32) as u32);
    // SAFETY: promised by the caller.
    unsafe {
        asm!("wrmsr", in("ecx") register, in("eax") low, in("edx") high, options(nostack, preserves_flags))
    };
}

/// The clock.
#[inline(always)]
pub(crate) fn tsc() -> u64 {
    // SAFETY: reading the time stamp counter has no effect.
    unsafe { _rdtsc() }
}

/// Address of the last page fault.
pub(crate) fn fault_address() -> u64 {
    let address;
    // SAFETY: reading CR2 has no effect.
    unsafe { asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// One turn of waiting for another core.
#[inline(always)]
pub(crate) fn relax() {
    core::hint::spin_loop();
}

/// Stops this core for ever.
pub fn halt() -> ! {
    loop {
        // SAFETY: interrupts are masked, so this waits for ever.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) }
    }
}
