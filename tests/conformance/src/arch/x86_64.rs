//! x86-64: registers of the system call, instructions that fault, the high precision event timer, SSE registers.

use crate::faults::{ALL, CONSTANTS, DEBUG_PUT_CHAR, Expected, NOWHERE};
use crate::raw::Result;
use core::arch::asm;
use ipc_pd::clock;
use memory_mmio::{Mmio, Registers};

/// Where every PD's IPC buffer is.
pub const IPC_BUFFER: u64 = ipc_abi::X86_64_IPC_BUFFER;
/// An address in the kernel's half: its first instructions.
pub const KERNEL_HALF: u64 = 0xffff_ffff_8100_0000;

/// Makes a system call: number in rdx, destination in rdi, tag in rsi, words in r10, r8, r9 and r15, reply in r12,
/// second in r13.
pub fn syscall(number: i64, to: u64, tag: u64, words: [u64; 4], reply: u64, second: u64) -> Result {
    let (badge, info, w0, w1, w2, w3);
    // SAFETY: the kernel changes the listed registers and the IPC buffer, which is accessed volatilely only.
    unsafe {
        asm!("mov r14, rsp", "syscall", "mov rsp, r14", in("rdx") number, inout("rdi") to => badge,
            inout("rsi") tag => info, inout("r10") words[0] => w0, inout("r8") words[1] => w1,
            inout("r9") words[2] => w2, inout("r15") words[3] => w3, in("r12") reply, in("r13") second,
            out("rcx") _, out("r11") _, out("r14") _);
    }
    Result { badge, tag: info, words: [w0, w1, w2, w3] }
}

/// Bits of a page fault's code.
const PRESENT: u64 = 1;
const WRITE: u64 = 2;
const USER: u64 = 4;
const FETCH: u64 = 16;

/// The test of what a PD may not do: I/O ports by instruction.
pub const PRIVILEGED: &str = "an I/O port by instruction";

const fn exception(name: &'static str, number: &'static [(usize, u64, u64)]) -> Expected {
    Expected { name, label: 3, length: 5, words: number }
}

/// In the order of `faulty`'s modes.
pub const FAULTS: &[Expected] = &[
    Expected {
        name: "a read of unmapped memory",
        label: 6,
        length: 4,
        words: &[(1, ALL, NOWHERE), (2, ALL, 0), (3, ALL, USER)],
    },
    Expected {
        name: "a write to constants",
        label: 6,
        length: 4,
        words: &[(1, ALL, CONSTANTS), (2, ALL, 0), (3, ALL, USER | WRITE | PRESENT)],
    },
    Expected {
        name: "execution of constants",
        label: 6,
        length: 4,
        words: &[(0, ALL, CONSTANTS), (1, ALL, CONSTANTS), (2, ALL, 1), (3, ALL, USER | FETCH | PRESENT)],
    },
    Expected {
        name: "a jump to the kernel's half",
        label: 6,
        length: 4,
        words: &[(1, ALL, KERNEL_HALF), (2, ALL, 0), (3, !PRESENT, USER)],
    },
    Expected {
        name: "an unknown system call",
        label: 2,
        length: 19,
        words: &[
            (3, ALL, DEBUG_PUT_CHAR as u64),
            (4, ALL, 1),
            (5, ALL, 65),
            (9, ALL, 2),
            (14, ALL, 5),
            (18, ALL, DEBUG_PUT_CHAR as u64),
        ],
    },
    Expected { name: "the answer to one sets registers", label: 2, length: 19, words: &[(0, ALL, 0xc0ffee)] },
    exception("an undefined instruction", &[(3, ALL, 6), (4, ALL, 0)]),
    exception("the FPU where it is not allowed", &[(3, ALL, 7), (4, ALL, 0)]),
    exception("a breakpoint", &[(3, ALL, 3), (4, ALL, 0)]),
    exception(PRIVILEGED, &[(3, ALL, 13), (4, ALL, 0)]),
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
        words: &[(1, !0xfff, IPC_BUFFER - 0x4000), (2, ALL, 0), (3, ALL, USER | WRITE)],
    },
];

/// Executes an undefined instruction.
pub fn undefined() {
    // SAFETY: the instruction faults, and `judge` starts the program anew; so do those below.
    unsafe { asm!("ud2") }
}

/// Uses the FPU.
pub fn use_fpu() {
    // SAFETY: as above.
    unsafe { asm!("xorps xmm0, xmm0") }
}

/// Executes a breakpoint.
pub fn breakpoint() {
    // SAFETY: as above.
    unsafe { asm!("int3") }
}

/// Does what [`PRIVILEGED`] names.
pub fn privileged() {
    // SAFETY: as above.
    unsafe { asm!("in al, 0x60", out("al") _) }
}

/// Jumps to an address.
pub fn jump(address: u64) {
    // SAFETY: as above.
    unsafe { asm!("jmp {}", in(reg) address, options(noreturn)) }
}

ipc_pd::regions! {
    hpet, hpet_size: Device;
}

/// The timer that `ticker` owns: comparator 0, level-triggered on line 2.
pub struct Timer(Mmio<'static>);

const PERIOD: usize = 0x004;
const ENABLE: usize = 0x010;
const STATUS: usize = 0x020;
const COUNTER: usize = 0x0f0;
const CONFIGURATION: usize = 0x100;
const COMPARATOR: usize = 0x108;
/// The counter runs; comparator 0 has line 2 for itself, in place of the old 8254 timer.
const RUN: u32 = 3;
/// Level-triggered, enabled, 32 bits.
const ON: u32 = 1 << 1 | 1 << 2 | 1 << 8;

impl Timer {
    /// The timer, with its counter running.
    pub fn new() -> Option<Self> {
        let mut registers = hpet()?;
        registers.write(ENABLE, RUN);
        Some(Self(registers))
    }

    /// Raises the interrupt in `micros`; gives the tick before which it must not come.
    pub fn set(&mut self, micros: u64) -> u64 {
        let due = clock::ticks() + clock::from_micros(micros);
        let femtoseconds = u64::from(self.0.read(PERIOD)).max(1);
        let ticks = micros * 1_000_000_000 / femtoseconds;
        self.0.write(STATUS, 1);
        let now = self.0.read(COUNTER);
        self.0.write(COMPARATOR, now.wrapping_add(ticks as u32));
        // Only now, because a stale comparator would fire.
        self.0.write(CONFIGURATION, ON);
        due
    }

    /// Raises no interrupt any more.
    pub fn stop(&mut self) {
        self.0.write(CONFIGURATION, 0);
        self.0.write(STATUS, 1);
    }
}

/// Sets some SSE registers to a pattern, spins for a while, and compares.
pub fn fpu_holds(pattern: u64) -> bool {
    let (a, b, c): (u64, u64, u64);
    // SAFETY: the program is built without SSE, so nobody else uses these registers.
    unsafe {
        asm!(
            "movq xmm0, {p}", "movq xmm7, {p}", "movq xmm15, {p}",
            "mov {n}, 20000", "2: dec {n}", "jnz 2b",
            "movq {a}, xmm0", "movq {b}, xmm7", "movq {c}, xmm15",
            p = in(reg) pattern, n = out(reg) _, a = out(reg) a, b = out(reg) b, c = out(reg) c,
        );
    }
    [a, b, c].iter().all(|value| *value == pattern)
}
