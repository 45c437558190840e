//! The kernel interface of a protection domain: seL4 16.0.0 (MCS) as Microkit 2.3.0 lays it out.
//!
//! One design rule: only numbers live here. The kernel and the PD runtime share them, and nothing
//! that is not in seL4's or Microkit's own sources may be added. Sources: seL4 `libsel4`, Microkit
//! `tool/microkit/src/capdl/builder.rs` and `libmicrokit`.
#![no_std]
#![forbid(unsafe_code)]

/// System call numbers (seL4 `sel4/syscall.h`, MCS).
pub mod syscall {
    /// Send and wait for the reply.
    pub const CALL: i64 = -1;
    /// Reply to the last caller and wait for the next message.
    pub const REPLY_RECV: i64 = -2;
    /// Send without waiting, then receive.
    pub const NB_SEND_RECV: i64 = -3;
    /// Send, waiting for a receiver.
    pub const SEND: i64 = -5;
    /// Wait for a message.
    pub const RECV: i64 = -7;
    /// Take a message if there is one; the badge is 0 when there is none.
    pub const NB_RECV: i64 = -8;
    /// Give up the rest of the budget until the next refill.
    pub const YIELD: i64 = -11;
}

/// Fixed slots of a PD's capability space.
pub mod slot {
    /// Endpoint, or the notification of a PD that neither serves calls nor has children.
    pub const INPUT: u64 = 1;
    /// Fault endpoint.
    pub const FAULT: u64 = 2;
    /// The PD's address space.
    pub const VSPACE: u64 = 3;
    /// Reply object.
    pub const REPLY: u64 = 4;
    /// Monitor endpoint, used once by a passive PD after init.
    pub const MONITOR: u64 = 5;
    /// The PD's own thread.
    pub const TCB: u64 = 6;
    /// First notification channel.
    pub const NOTIFY_BASE: u64 = 10;
    /// First protected-procedure channel.
    pub const CALL_BASE: u64 = 74;
    /// First interrupt.
    pub const IRQ_BASE: u64 = 138;
    /// First child thread.
    pub const CHILD_BASE: u64 = 202;
    /// First I/O port (x86-64).
    pub const PORT_BASE: u64 = 394;
    /// Ids of one kind: 64 slots each.
    pub const PER_KIND: u64 = 64;
}

/// Badges that a PD receives.
pub mod badge {
    /// Set for a protected procedure call; the low six bits are the channel.
    pub const CALL: u64 = 1 << 63;
    /// Set for a child's fault; the low eight bits are the child.
    pub const FAULT: u64 = 1 << 62;
}

/// Invocation labels of the release kernel.
pub mod label {
    /// TCB ReadRegisters: message is flags (bit 0 suspend) and count; the answer is that many registers from pc.
    pub const TCB_READ_REGISTERS: u64 = 2;
    /// TCB WriteRegisters: message is flags (bit 0 resume), count, then registers from pc.
    pub const TCB_WRITE_REGISTERS: u64 = 3;
    /// TCB Suspend.
    pub const TCB_SUSPEND: u64 = 12;
    /// TCB Resume.
    pub const TCB_RESUME: u64 = 13;
    /// Acknowledge an interrupt.
    pub const IRQ_ACK: u64 = 27;
    /// x86 port reads of 8, 16 and 32 bits.
    pub const PORT_IN: [u64; 3] = [54, 55, 56];
    /// x86 port writes of 8, 16 and 32 bits.
    pub const PORT_OUT: [u64; 3] = [57, 58, 59];
}

/// Fault labels (seL4 `sel4_arch/types_gen.h`).
pub mod fault {
    /// A capability lookup failed.
    pub const CAP: u64 = 1;
    /// A system call number that the kernel does not know.
    pub const UNKNOWN_SYSCALL: u64 = 2;
    /// Undefined instruction; on x86-64 every exception that is no page fault.
    pub const USER_EXCEPTION: u64 = 3;
    /// The budget ran out (only with a timeout handler).
    pub const TIMEOUT: u64 = 5;
    /// Virtual memory: ip, address, prefetch, fault status.
    pub const VM: u64 = 6;
    /// A trap that a kernel with hypervisor support takes for a virtual machine's: one word, the exception's syndrome.
    /// Microkit's ARM boards report a disabled FPU, `brk` and system registers so, and our kernel does as they do.
    pub const VCPU: u64 = 8;
}

/// Message registers that travel in CPU registers.
pub const REGISTER_MESSAGES: usize = 4;
/// Largest message, in registers.
pub const MAX_MESSAGE: usize = 120;
/// Top of user space on aarch64 (40-bit, as Microkit builds `qemu_virt_aarch64`).
pub const AARCH64_IPC_BUFFER: u64 = 0xff_ffff_f000;
/// IPC buffer on x86-64.
pub const X86_64_IPC_BUFFER: u64 = 0x7fff_ffff_e000;
/// The stack's top lies this far below the IPC buffer: one guard page.
pub const STACK_GUARD: u64 = 0x1000;

/// seL4's message tag: label (52 bits), unwrapped (3), extra capabilities (2), length (7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MessageTag(pub u64);

impl MessageTag {
    /// A tag without capabilities; `length` is in message registers and is cut to [`MAX_MESSAGE`].
    pub const fn new(label: u64, length: usize) -> Self {
        let length = if length > MAX_MESSAGE { MAX_MESSAGE } else { length };
        Self(label << 12 | length as u64)
    }
    /// The label.
    pub const fn label(self) -> u64 {
        self.0 >> 12
    }
    /// Message registers, at most [`MAX_MESSAGE`].
    pub const fn length(self) -> usize {
        let length = (self.0 & 0x7f) as usize;
        if length > MAX_MESSAGE { MAX_MESSAGE } else { length }
    }
}
