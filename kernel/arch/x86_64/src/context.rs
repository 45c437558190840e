//! The saved registers of a thread. `entry` knows the layout: the processor itself writes the last five words.

use kernel_arch_common::Contexts;
use kernel_core::Frame;

/// What the entry code did not save comes first; then the general registers in the order of [`r`], then the
/// processor's frame.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Context {
    pub restart_pc: u64,
    pub fs_base: u64,
    pub gs_base: u64,
    pub reserved: u64,
    pub registers: [u64; 15],
    pub vector: u64,
    /// The exception's code, or [`BY_SYSCALL`].
    pub error: u64,
    pub pc: u64,
    pub cs: u64,
    pub flags: u64,
    pub sp: u64,
    pub ss: u64,
}

/// In `error`: the thread came by `syscall`, so RCX and R11 need not be kept.
pub(crate) const BY_SYSCALL: u64 = u64::MAX;
/// Bytes of a context; a multiple of 16, because the processor aligns its frame so.
pub(crate) const SIZE: usize = size_of::<Context>();
const _: () = assert!(SIZE == 208);

/// Places in [`Context::registers`].
mod r {
    pub const R15: usize = 0;
    pub const R14: usize = 1;
    pub const R13: usize = 2;
    pub const R12: usize = 3;
    pub const R11: usize = 4;
    pub const R10: usize = 5;
    pub const R9: usize = 6;
    pub const R8: usize = 7;
    pub const RBP: usize = 8;
    pub const RDI: usize = 9;
    pub const RSI: usize = 10;
    pub const RDX: usize = 11;
    pub const RCX: usize = 12;
    pub const RBX: usize = 13;
    pub const RAX: usize = 14;
}

/// `seL4_UserContext` and the unknown-system-call message have the general registers in this order.
const ORDER: [usize; 15] = [
    r::RAX,
    r::RBX,
    r::RCX,
    r::RDX,
    r::RSI,
    r::RDI,
    r::RBP,
    r::R8,
    r::R9,
    r::R10,
    r::R11,
    r::R12,
    r::R13,
    r::R14,
    r::R15,
];

const RESERVED: u64 = 1 << 1;
const INTERRUPTS: u64 = 1 << 9;

/// As seL4: the arithmetic flags, trap and direction; interrupts on; no I/O privilege, no alignment check.
fn sanitise_flags(value: u64) -> u64 {
    value & 0xdd5 & !(1 << 3 | 1 << 5) | RESERVED | INTERRUPTS
}

/// As seL4: an address that no register can hold becomes 0, because returning to it would fault in the kernel.
fn canonical(value: u64) -> u64 {
    if (0x8000_0000_0000..0xffff_8000_0000_0000).contains(&value) { 0 } else { value }
}

impl Context {
    /// A thread at its first instruction.
    pub fn start(entry: u64, stack: u64) -> Self {
        let (pc, flags) = (canonical(entry), RESERVED | INTERRUPTS);
        let (cs, ss) = (crate::descriptors::USER_CODE, crate::descriptors::USER_DATA);
        Self { restart_pc: pc, pc, sp: stack, cs: cs.into(), ss: ss.into(), flags, ..ZERO }
    }
}

impl Frame for Context {
    #[inline(always)]
    fn capability(&self) -> u64 {
        self.registers[r::RDI]
    }
    #[inline(always)]
    fn set_badge(&mut self, badge: u64) {
        self.registers[r::RDI] = badge;
    }
    #[inline(always)]
    fn tag(&self) -> u64 {
        self.registers[r::RSI]
    }
    #[inline(always)]
    fn set_tag(&mut self, tag: u64) {
        self.registers[r::RSI] = tag;
    }
    #[inline(always)]
    fn message(&self, index: usize) -> u64 {
        self.registers[[r::R10, r::R8, r::R9, r::R15][index & 3]]
    }
    #[inline(always)]
    fn set_message(&mut self, index: usize, value: u64) {
        self.registers[[r::R10, r::R8, r::R9, r::R15][index & 3]] = value;
    }
    #[inline(always)]
    fn messages(&self) -> [u64; 4] {
        let registers = &self.registers;
        [registers[r::R10], registers[r::R8], registers[r::R9], registers[r::R15]]
    }
    #[inline(always)]
    fn set_messages(&mut self, values: [u64; 4]) {
        let registers = &mut self.registers;
        [registers[r::R10], registers[r::R8], registers[r::R9], registers[r::R15]] = values;
    }
    #[inline(always)]
    fn reply(&self) -> u64 {
        self.registers[r::R12]
    }
    #[inline(always)]
    fn send_destination(&self) -> u64 {
        self.registers[r::R13]
    }
    #[inline(always)]
    fn syscall(&self) -> i64 {
        self.registers[r::RDX] as i64
    }
    #[inline(always)]
    fn pc(&self) -> u64 {
        self.pc
    }
    #[inline(always)]
    fn set_pc(&mut self, pc: u64) {
        self.pc = pc;
    }
    #[inline(always)]
    fn restart_pc(&self) -> u64 {
        self.restart_pc
    }
    #[inline(always)]
    fn set_restart_pc(&mut self, pc: u64) {
        self.restart_pc = pc;
    }
    fn write_context(&mut self, index: usize, value: u64) {
        // All registers count from now on.
        self.error = 0;
        match index {
            0 => self.restart_pc = canonical(value),
            1 => self.sp = value,
            2 => self.flags = sanitise_flags(value),
            18 => self.fs_base = canonical(value),
            19 => self.gs_base = canonical(value),
            _ => {
                if let Some(register) = ORDER.get(index - 3) {
                    self.registers[*register] = value;
                }
            }
        }
    }
    fn read_context(&self, index: usize) -> u64 {
        match index {
            0 => self.restart_pc,
            1 => self.sp,
            2 => self.flags,
            18 => self.fs_base,
            19 => self.gs_base,
            _ => ORDER.get(index - 3).map_or(0, |register| self.registers[*register]),
        }
    }
    const CONTEXT: usize = 20;
    fn syscall_register(&self, index: usize) -> u64 {
        match index {
            15 => self.restart_pc,
            16 => self.sp,
            17 => self.flags,
            _ => ORDER.get(index).map_or(0, |register| self.registers[*register]),
        }
    }
    fn set_syscall_register(&mut self, index: usize, value: u64) {
        self.error = 0;
        match index {
            15 => self.restart_pc = canonical(value),
            16 => self.sp = value,
            17 => self.flags = sanitise_flags(value),
            _ => {
                if let Some(register) = ORDER.get(index) {
                    self.registers[*register] = value;
                }
            }
        }
    }
    const SYSCALL_REGISTERS: usize = 18;
    fn exception_register(&self, index: usize) -> u64 {
        match index {
            0 => self.restart_pc,
            1 => self.sp,
            _ => self.flags,
        }
    }
    fn set_exception_register(&mut self, index: usize, value: u64) {
        match index {
            0 => self.restart_pc = canonical(value),
            1 => self.sp = value,
            _ => self.flags = sanitise_flags(value),
        }
    }
    const EXCEPTION_REGISTERS: usize = 3;
}

const ZERO: Context = Context {
    restart_pc: 0,
    fs_base: 0,
    gs_base: 0,
    reserved: 0,
    registers: [0; 15],
    vector: 0,
    error: 0,
    pc: 0,
    cs: 0,
    flags: 0,
    sp: 0,
    ss: 0,
};

pub(crate) static CONTEXTS: Contexts<Context> = Contexts::new(ZERO);
