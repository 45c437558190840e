//! PSCI firmware calls (Arm DEN 0022).

use kernel_core::device_tree::Conduit;

const CPU_ON: u64 = 0xc400_0003;

/// Starts the core with this affinity at a physical address, with `argument` in x0. Zero is success.
pub(crate) fn cpu_on(conduit: Conduit, affinity: u64, entry: u64, argument: u64) -> i64 {
    let result: u64;
    // SAFETY: CPU_ON starts a core at our own entry point and changes nothing else here; SMCCC keeps x18 and above.
    unsafe {
        match conduit {
            Conduit::Hvc => {
                core::arch::asm!("hvc #0", inout("x0") CPU_ON => result, in("x1") affinity, in("x2") entry,
                in("x3") argument, clobber_abi("C"), options(nostack))
            }
            Conduit::Smc => {
                core::arch::asm!("smc #0", inout("x0") CPU_ON => result, in("x1") affinity, in("x2") entry,
                in("x3") argument, clobber_abi("C"), options(nostack))
            }
        }
    }
    result as i64
}
