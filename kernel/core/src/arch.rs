//! What the core asks of an instruction set.

use crate::{Fault, Id};

/// The saved registers of one thread, under the names that the system-call interface gives them.
pub trait Frame {
    /// Capability operand of a system call.
    fn capability(&self) -> u64;
    /// Sets the badge result (the same register as [`Frame::capability`]).
    fn set_badge(&mut self, badge: u64);
    /// Message tag, as the thread gave it.
    fn tag(&self) -> u64;
    /// Sets the message tag.
    fn set_tag(&mut self, tag: u64);
    /// Message register 0 to 3.
    fn message(&self, index: usize) -> u64;
    /// Sets message register 0 to 3.
    fn set_message(&mut self, index: usize, value: u64);
    /// All four message registers.
    fn messages(&self) -> [u64; 4];
    /// Sets all four message registers.
    fn set_messages(&mut self, values: [u64; 4]);
    /// Reply-object operand.
    fn reply(&self) -> u64;
    /// Destination of the send half of `NBSendRecv`.
    fn send_destination(&self) -> u64;
    /// System call number.
    fn syscall(&self) -> i64;
    /// Where the thread continues.
    fn pc(&self) -> u64;
    /// Sets where the thread continues.
    fn set_pc(&mut self, pc: u64);
    /// Where a cancelled system call or a repaired fault starts again.
    fn restart_pc(&self) -> u64;
    /// Sets [`Frame::restart_pc`].
    fn set_restart_pc(&mut self, pc: u64);
    /// Register `index` in the order of `seL4_UserContext` (0 is the restart address), sanitised; others are ignored.
    fn write_context(&mut self, index: usize, value: u64);
    /// Register `index` in the order of `seL4_UserContext`.
    fn read_context(&self, index: usize) -> u64;
    /// Registers in a context.
    const CONTEXT: usize;
    /// Register `index` of an unknown-system-call message.
    fn syscall_register(&self, index: usize) -> u64;
    /// Sets it from a reply, sanitised.
    fn set_syscall_register(&mut self, index: usize, value: u64);
    /// Registers in such a message, without the number.
    const SYSCALL_REGISTERS: usize;
    /// Register `index` of a user-exception message.
    fn exception_register(&self, index: usize) -> u64;
    /// Sets it from a reply, sanitised.
    fn set_exception_register(&mut self, index: usize, value: u64);
    /// Registers in such a message, without number and code.
    const EXCEPTION_REGISTERS: usize;
}

/// The machine below the core. Times are ticks of the clock that [`Arch::now`] reads.
pub trait Arch {
    /// Saved registers.
    type Frame: Frame;
    /// The saved registers of a thread that is not executing.
    fn frame(&mut self, thread: Id) -> &mut Self::Frame;
    /// Word `index` (0 is the tag, 1 + i is message register i) of a thread's IPC buffer, below 128.
    fn buffer(&self, thread: Id, index: usize) -> u64;
    /// Writes a word of a thread's IPC buffer.
    fn set_buffer(&mut self, thread: Id, index: usize, value: u64);
    /// Copies message registers 4 to `length` from one IPC buffer to another; `length` is at most 120.
    fn copy_buffer(&mut self, from: Id, to: Id, length: usize);
    /// The clock.
    fn now(&mut self) -> u64;
    /// Interrupts this core at `time`, or never.
    fn set_deadline(&mut self, time: Option<u64>);
    /// Loads what a thread needs beyond its frame; `None` when the core idles.
    fn switch_to(&mut self, thread: Option<Id>);
    /// Makes another core run its scheduler.
    fn kick(&mut self, core: usize);
    /// Returns when another core is in the kernel (waiting for the lock), all registers of its thread saved.
    fn stall(&mut self, core: usize);
    /// Lets an interrupt line be delivered again.
    fn unmask(&mut self, irq: u32, core: usize);
    /// Reads an I/O port of 1, 2 or 4 bytes; machines without such ports have no capabilities to them.
    fn read_port(&mut self, _port: u16, _bytes: u16) -> u32 {
        0
    }
    /// Writes an I/O port of 1, 2 or 4 bytes.
    fn write_port(&mut self, _port: u16, _bytes: u16, _value: u32) {}
    /// Tells the person at the console that a thread without a parent faulted and stays stopped.
    fn report(&mut self, thread: Id, fault: &Fault);
}
