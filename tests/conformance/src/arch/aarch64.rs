//! AArch64: registers of the system call, instructions that fault, the physical timer, FPU registers.

use crate::faults::{ALL, CONSTANTS, DEBUG_PUT_CHAR, Expected, NOWHERE};
use crate::raw::Result;
use core::arch::asm;
use ipc_pd::clock;

/// Where every PD's IPC buffer is.
pub const IPC_BUFFER: u64 = ipc_abi::AARCH64_IPC_BUFFER;
/// An address in the kernel's half.
pub const KERNEL_HALF: u64 = 0xffff_ff80_4020_0000;

/// Makes a system call: number in x7, destination in x0, tag in x1, words in x2 to x5, reply in x6, second in x8.
pub fn syscall(number: i64, to: u64, tag: u64, words: [u64; 4], reply: u64, second: u64) -> Result {
    let (badge, info, w0, w1, w2, w3);
    // SAFETY: the kernel changes the listed registers and the IPC buffer, which is accessed volatilely only.
    unsafe {
        asm!("svc #0", in("x7") number, inout("x0") to => badge, inout("x1") tag => info,
            inout("x2") words[0] => w0, inout("x3") words[1] => w1, inout("x4") words[2] => w2,
            inout("x5") words[3] => w3, in("x6") reply, in("x8") second, options(nostack));
    }
    Result { badge, tag: info, words: [w0, w1, w2, w3] }
}

const CLASS: u64 = 0x3f << 26;

const fn class(class: u64) -> u64 {
    class << 26
}

/// The test of what a PD may not do: the physical timer's registers.
pub const PRIVILEGED: &str = "the physical timer without its interrupt";

/// In the order of `faulty`'s modes.
pub const FAULTS: &[Expected] = &[
    Expected {
        name: "a read of unmapped memory",
        label: 6,
        length: 4,
        words: &[(1, ALL, NOWHERE), (2, ALL, 0), (3, CLASS, class(0x24)), (3, 1 << 6, 0)],
    },
    Expected {
        name: "a write to constants",
        label: 6,
        length: 4,
        words: &[(1, ALL, CONSTANTS), (2, ALL, 0), (3, CLASS, class(0x24)), (3, 1 << 6, 1 << 6)],
    },
    Expected {
        name: "execution of constants",
        label: 6,
        length: 4,
        words: &[(0, ALL, CONSTANTS), (1, ALL, CONSTANTS), (2, ALL, 1), (3, CLASS, class(0x20))],
    },
    Expected {
        name: "a jump to the kernel's half",
        label: 6,
        length: 4,
        words: &[(1, ALL, KERNEL_HALF), (2, ALL, 0), (3, CLASS, class(0x24))],
    },
    Expected {
        name: "an unknown system call",
        label: 2,
        length: 13,
        words: &[
            (0, ALL, 65),
            (1, ALL, 1),
            (7, ALL, DEBUG_PUT_CHAR as u64),
            (12, ALL, DEBUG_PUT_CHAR as u64),
        ],
    },
    Expected { name: "the answer to one sets registers", label: 2, length: 13, words: &[(0, ALL, 0xc0ffee)] },
    Expected { name: "an undefined instruction", label: 3, length: 5, words: &[(3, CLASS, 0), (4, ALL, 0)] },
    Expected { name: "the FPU where it is not allowed", label: 8, length: 1, words: &[(0, CLASS, class(7))] },
    Expected { name: "a breakpoint", label: 8, length: 1, words: &[(0, CLASS, class(0x3c))] },
    Expected { name: PRIVILEGED, label: 8, length: 1, words: &[(0, CLASS, class(0x18))] },
    Expected {
        name: "a wait on an empty slot",
        label: 1,
        length: 5,
        words: &[(1, ALL, 40), (2, ALL, 1), (3, ALL, 2), (4, ALL, 0)],
    },
    Expected {
        name: "a send outside of the table",
        label: 1,
        length: 7,
        words: &[(1, ALL, 600), (2, ALL, 0), (3, ALL, 4), (4, ALL, 58), (5, ALL, 0), (6, ALL, 49)],
    },
    Expected {
        name: "a stack that is too small",
        label: 6,
        length: 4,
        words: &[(1, !0xfff, IPC_BUFFER - 0x4000), (2, ALL, 0), (3, 1 << 6, 1 << 6)],
    },
];

/// Executes an undefined instruction.
pub fn undefined() {
    // SAFETY: the instruction faults, and `judge` starts the program anew; so do those below.
    unsafe { asm!("udf #1") }
}

/// Uses the FPU.
pub fn use_fpu() {
    // SAFETY: as above.
    unsafe { asm!(".inst 0x1e2703e0") } // fmov s0, wzr
}

/// Executes a breakpoint.
pub fn breakpoint() {
    // SAFETY: as above.
    unsafe { asm!("brk #1") }
}

/// Does what [`PRIVILEGED`] names.
pub fn privileged() {
    // SAFETY: as above; a kernel that lets it pass has changed nothing.
    unsafe { asm!("mrs {}, cntp_ctl_el0", out(reg) _) }
}

/// Jumps to an address.
pub fn jump(address: u64) {
    // SAFETY: as above.
    unsafe { asm!("br {}", in(reg) address, options(noreturn)) }
}

/// The timer that `ticker` owns.
pub struct Timer;

impl Timer {
    /// The timer.
    pub fn new() -> Option<Self> {
        Some(Self)
    }

    /// Raises the interrupt in `micros`; gives the tick at which.
    pub fn set(&mut self, micros: u64) -> u64 {
        let due = clock::ticks() + clock::from_micros(micros);
        // SAFETY: the kernel gives this PD the physical timer with its interrupt.
        unsafe { asm!("msr cntp_cval_el0, {}", "msr cntp_ctl_el0, {}", in(reg) due, in(reg) 1u64) };
        due
    }

    /// Raises no interrupt any more.
    pub fn stop(&mut self) {
        // SAFETY: as in `set`.
        unsafe { asm!("msr cntp_ctl_el0, {}", in(reg) 0u64) };
    }
}

/// Sets some FPU registers to a pattern, spins for a while, and compares.
pub fn fpu_holds(pattern: u64) -> bool {
    let (a, b, c, d): (u64, u64, u64, u64);
    // SAFETY: only the named registers are used.
    unsafe {
        asm!(
            "dup v0.2d, {p}", "dup v8.2d, {p}", "dup v16.2d, {p}", "dup v31.2d, {p}",
            "mov {n}, #20000", "2: subs {n}, {n}, #1", "b.ne 2b",
            "umov {a}, v0.d[1]", "umov {b}, v8.d[0]", "umov {c}, v16.d[1]", "umov {d}, v31.d[1]",
            p = in(reg) pattern, n = out(reg) _, a = out(reg) a, b = out(reg) b, c = out(reg) c, d = out(reg) d,
            out("v0") _, out("v8") _, out("v16") _, out("v31") _,
        );
    }
    [a, b, c, d].iter().all(|value| *value == pattern)
}
