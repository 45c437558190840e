//! The saved registers of a thread. `vectors` knows the layout.

use kernel_arch_common::Contexts;
use kernel_core::Frame;

/// General registers, then what the exception saved.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Context {
    pub x: [u64; 31],
    pub sp: u64,
    pub pc: u64,
    pub spsr: u64,
    pub restart_pc: u64,
    pub tpidr: u64,
    pub tpidrro: u64,
}

/// EL0, AArch64, FIQ and SError masked (seL4 `PSTATE_USER`).
pub(crate) const SPSR_USER: u64 = 1 << 6 | 1 << 8;

impl Context {
    pub const EMPTY: Self =
        Self { x: [0; 31], sp: 0, pc: 0, spsr: SPSR_USER, restart_pc: 0, tpidr: 0, tpidrro: 0 };
}

fn sanitise_spsr(value: u64) -> u64 {
    value & 0xf000_0000 | SPSR_USER
}

/// `seL4_UserContext` after pc, sp and spsr: register numbers.
const CONTEXT_ORDER: [u8; 31] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 29, 30, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28,
];

impl Frame for Context {
    #[inline(always)]
    fn capability(&self) -> u64 {
        self.x[0]
    }
    #[inline(always)]
    fn set_badge(&mut self, badge: u64) {
        self.x[0] = badge;
    }
    #[inline(always)]
    fn tag(&self) -> u64 {
        self.x[1]
    }
    #[inline(always)]
    fn set_tag(&mut self, tag: u64) {
        self.x[1] = tag;
    }
    #[inline(always)]
    fn message(&self, index: usize) -> u64 {
        self.x[2 + (index & 3)]
    }
    #[inline(always)]
    fn set_message(&mut self, index: usize, value: u64) {
        self.x[2 + (index & 3)] = value;
    }
    #[inline(always)]
    fn messages(&self) -> [u64; 4] {
        [self.x[2], self.x[3], self.x[4], self.x[5]]
    }
    #[inline(always)]
    fn set_messages(&mut self, values: [u64; 4]) {
        self.x[2..6].copy_from_slice(&values);
    }
    #[inline(always)]
    fn reply(&self) -> u64 {
        self.x[6]
    }
    #[inline(always)]
    fn send_destination(&self) -> u64 {
        self.x[8]
    }
    #[inline(always)]
    fn syscall(&self) -> i64 {
        self.x[7] as i64
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
        match index {
            0 => self.restart_pc = value,
            1 => self.sp = value,
            2 => self.spsr = sanitise_spsr(value),
            _ => {
                if let Some(register) = CONTEXT_ORDER.get(index - 3) {
                    self.x[usize::from(*register)] = value;
                }
            }
        }
    }
    fn read_context(&self, index: usize) -> u64 {
        match index {
            0 => self.restart_pc,
            1 => self.sp,
            2 => self.spsr,
            _ => CONTEXT_ORDER.get(index - 3).map_or(0, |register| self.x[usize::from(*register)]),
        }
    }
    const CONTEXT: usize = 34;
    fn syscall_register(&self, index: usize) -> u64 {
        match index {
            0..8 => self.x[index],
            8 => self.restart_pc,
            9 => self.sp,
            10 => self.pc,
            _ => self.spsr,
        }
    }
    fn set_syscall_register(&mut self, index: usize, value: u64) {
        match index {
            0..8 => self.x[index] = value,
            8 => self.restart_pc = value,
            9 => self.sp = value,
            10 => self.pc = value,
            _ => self.spsr = sanitise_spsr(value),
        }
    }
    const SYSCALL_REGISTERS: usize = 12;
    fn exception_register(&self, index: usize) -> u64 {
        match index {
            0 => self.restart_pc,
            1 => self.sp,
            _ => self.spsr,
        }
    }
    fn set_exception_register(&mut self, index: usize, value: u64) {
        match index {
            0 => self.restart_pc = value,
            1 => self.sp = value,
            _ => self.spsr = sanitise_spsr(value),
        }
    }
    const EXCEPTION_REGISTERS: usize = 3;
}

pub(crate) static CONTEXTS: Contexts<Context> = Contexts::new(ZERO);

// Zero, so that the table stands in `.bss`; `Machine::prepare` sets what is not.
const ZERO: Context = Context { spsr: 0, ..Context::EMPTY };
