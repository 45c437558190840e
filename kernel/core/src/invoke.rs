//! Invocations of capabilities: the send half of every system call.

use crate::ipc::Send;
use crate::object::State;
use crate::{Arch, Capability, Fault, Frame, Id, Kernel};
use ipc_abi::{MessageTag, label};

/// Error labels of the kernel's own replies (seL4 `seL4_Error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidCapability = 2,
    IllegalOperation = 3,
    TruncatedMessage = 7,
}

/// Which system call invokes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    pub call: bool,
    pub blocking: bool,
    /// Send half of a combined call: may donate, must not touch threads.
    pub first_phase: bool,
}

impl Mode {
    pub const CALL: Self = Self { call: true, blocking: true, first_phase: false };
    pub const SEND: Self = Self { call: false, blocking: true, first_phase: false };
    pub const NB_SEND: Self = Self { call: false, blocking: false, first_phase: false };
    pub const FIRST_PHASE: Self = Self { call: false, blocking: false, first_phase: true };
}

impl<A: Arch> Kernel<A> {
    /// Invokes the capability at `address` with the message in the caller's registers.
    pub(crate) fn invoke(&mut self, caller: Id, address: u64, mode: Mode) {
        let capability = match crate::capability::lookup(&self.capabilities[caller], address) {
            Ok(capability) => capability,
            Err(failure) => {
                if mode.blocking {
                    self.fault(caller, Fault::Capability { address, receiving: false, failure });
                }
                return;
            }
        };
        match capability {
            Capability::Endpoint { target, .. } => {
                let donate = mode.call || mode.first_phase;
                let how =
                    Send { badge: capability.badge(), blocking: mode.blocking, call: mode.call, donate };
                self.send(caller, target, how);
            }
            Capability::Notification { target, .. } => {
                self.signal(target, capability.badge());
                self.answer(caller, mode, Ok(0));
            }
            Capability::Reply(reply) => {
                self.reply(caller, reply);
                self.answer(caller, mode, Ok(0));
            }
            other => {
                let result = self.invoke_kernel_object(caller, other, mode);
                self.answer(caller, mode, result);
            }
        }
    }

    /// Words of the kernel's reply.
    fn invoke_kernel_object(&mut self, caller: Id, what: Capability, mode: Mode) -> Result<usize, Refusal> {
        let tag = MessageTag(self.arch.frame(caller).tag());
        match what {
            Capability::Irq(line) if tag.label() == label::IRQ_ACK => {
                self.acknowledge(line);
                Ok(0)
            }
            Capability::Ports(range) => self.invoke_ports(caller, range, tag, mode),
            Capability::Thread(_) if mode.first_phase => Err(Refusal::InvalidCapability),
            Capability::Thread(thread) => self.invoke_thread(caller, thread, tag, mode),
            Capability::Monitor => {
                if tag.label() == 0 {
                    self.become_passive(caller);
                }
                if mode.call {
                    self.threads[caller].state = State::Inactive;
                }
                Ok(0)
            }
            Capability::Irq(_) | Capability::Inert => Err(Refusal::IllegalOperation),
            _ => Err(Refusal::InvalidCapability),
        }
    }

    fn invoke_thread(
        &mut self,
        caller: Id,
        thread: Id,
        tag: MessageTag,
        mode: Mode,
    ) -> Result<usize, Refusal> {
        match tag.label() {
            label::TCB_SUSPEND => {
                self.suspend(thread);
                Ok(0)
            }
            label::TCB_RESUME => {
                self.restart(thread);
                Ok(0)
            }
            label::TCB_WRITE_REGISTERS => self.write_registers(caller, thread, tag.length()),
            label::TCB_READ_REGISTERS => self.read_registers(caller, thread, tag.length(), mode),
            _ => Err(Refusal::IllegalOperation),
        }
    }

    fn write_registers(&mut self, caller: Id, thread: Id, length: usize) -> Result<usize, Refusal> {
        let count = self.get(caller, 1);
        if length < 2 || count > length as u64 - 2 {
            return Err(Refusal::TruncatedMessage);
        }
        if thread == caller {
            return Err(Refusal::IllegalOperation);
        }
        self.stop_elsewhere(thread);
        for index in 0..A::Frame::CONTEXT.min(count as usize) {
            let value = self.get(caller, index + 2);
            self.arch.frame(thread).write_context(index, value);
        }
        let frame = self.arch.frame(thread);
        let pc = frame.restart_pc();
        frame.set_pc(pc);
        if self.get(caller, 0) & 1 != 0 {
            self.restart(thread);
        }
        Ok(0)
    }

    fn read_registers(
        &mut self,
        caller: Id,
        thread: Id,
        length: usize,
        mode: Mode,
    ) -> Result<usize, Refusal> {
        if length < 2 {
            return Err(Refusal::TruncatedMessage);
        }
        if thread == caller {
            return Err(Refusal::IllegalOperation);
        }
        let count = self.get(caller, 1).min(A::Frame::CONTEXT as u64) as usize;
        if self.get(caller, 0) & 1 != 0 {
            self.suspend(thread);
        } else {
            self.stop_elsewhere(thread);
        }
        if !mode.call {
            return Ok(0);
        }
        for index in 0..count {
            let value = self.arch.frame(thread).read_context(index);
            self.put(caller, index, value);
        }
        Ok(count)
    }

    /// The kernel's own reply to a call.
    #[inline(always)]
    fn answer(&mut self, caller: Id, mode: Mode, result: Result<usize, Refusal>) {
        if !mode.call || self.threads[caller].state != State::Running {
            return;
        }
        let tag = match result {
            Ok(length) => MessageTag::new(0, length),
            Err(Refusal::InvalidCapability) => {
                self.arch.frame(caller).set_message(0, 0);
                MessageTag::new(Refusal::InvalidCapability as u64, 1)
            }
            Err(refusal) => MessageTag::new(refusal as u64, 0),
        };
        let frame = self.arch.frame(caller);
        frame.set_badge(0);
        frame.set_tag(tag.0);
    }
}
