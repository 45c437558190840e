//! Faults: messages to the parent's endpoint, in seL4's layout, and what a reply to one does.

use crate::ipc::Send;
use crate::object::State;
use crate::{Arch, Frame, Id, Kernel, LookupFailure};
use ipc_abi::{MessageTag, REGISTER_MESSAGES, badge, fault};

/// What a thread did that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Used a capability address that leads nowhere.
    Capability {
        /// The address.
        address: u64,
        /// In the receive half of the call.
        receiving: bool,
        /// Why the lookup failed.
        failure: LookupFailure,
    },
    /// A system call number that does not exist.
    UnknownSyscall(u64),
    /// Undefined instruction; on x86-64 every exception that is no page fault.
    UserException {
        /// The machine's cause (`ESR_EL1`).
        number: u64,
        /// Zero on ARM.
        code: u64,
    },
    /// On ARM: FPU or system register where it is not allowed, breakpoint, alignment of pc or sp … seL4 with hypervisor
    /// support, which Microkit's ARM boards have, reports these so.
    Vcpu {
        /// The machine's cause (`ESR_EL1`).
        status: u64,
    },
    /// An address that is not mapped, or not for this access.
    Vm {
        /// The address.
        address: u64,
        /// While fetching an instruction.
        instruction: bool,
        /// The machine's fault status (`ESR_EL1`).
        status: u64,
    },
}

impl Fault {
    fn label(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Capability { .. } => fault::CAP,
            Self::UnknownSyscall(_) => fault::UNKNOWN_SYSCALL,
            Self::UserException { .. } => fault::USER_EXCEPTION,
            Self::Vcpu { .. } => fault::VCPU,
            Self::Vm { .. } => fault::VM,
        }
    }
}

impl<A: Arch> Kernel<A> {
    /// Sends a fault of a thread to its parent; without one the thread stops and the person is told.
    pub fn fault(&mut self, id: Id, fault: Fault) {
        let thread = &mut self.threads[id];
        let Some(parent) = thread.parent else {
            thread.state = State::Inactive;
            self.arch.report(id, &fault);
            return;
        };
        thread.fault = fault;
        let badge = badge::FAULT | u64::from(thread.child_id);
        let donate = thread.sc.is_some();
        self.send(id, parent, Send { badge, blocking: true, call: false, donate });
    }

    /// Writes the sender's fault as a message into the receiver.
    pub(crate) fn write_fault(&mut self, sender: Id, receiver: Id) -> MessageTag {
        let fault = self.threads[sender].fault;
        let length = match fault {
            Fault::None => 0,
            Fault::Capability { address, receiving, failure } => {
                self.write_capability_fault(sender, receiver, address, receiving, failure)
            }
            Fault::UnknownSyscall(number) => {
                for index in 0..A::Frame::SYSCALL_REGISTERS {
                    let value = self.arch.frame(sender).syscall_register(index);
                    self.put(receiver, index, value);
                }
                self.put(receiver, A::Frame::SYSCALL_REGISTERS, number)
            }
            Fault::UserException { number, code } => {
                for index in 0..A::Frame::EXCEPTION_REGISTERS {
                    let value = self.arch.frame(sender).exception_register(index);
                    self.put(receiver, index, value);
                }
                self.put(receiver, A::Frame::EXCEPTION_REGISTERS, number);
                self.put(receiver, A::Frame::EXCEPTION_REGISTERS + 1, code)
            }
            Fault::Vcpu { status } => self.put(receiver, 0, status),
            Fault::Vm { address, instruction, status } => {
                let pc = self.arch.frame(sender).restart_pc();
                self.put_all(receiver, 0, &[pc, address, u64::from(instruction), status])
            }
        };
        MessageTag::new(fault.label(), length)
    }

    fn write_capability_fault(
        &mut self,
        sender: Id,
        receiver: Id,
        address: u64,
        receiving: bool,
        failure: LookupFailure,
    ) -> usize {
        let pc = self.arch.frame(sender).restart_pc();
        let (kind, words) = failure.words();
        let length = self.put_all(receiver, 0, &[pc, address, u64::from(receiving), kind]);
        self.put_all(receiver, length, words)
    }

    fn put_all(&mut self, receiver: Id, first: usize, words: &[u64]) -> usize {
        for (index, word) in words.iter().enumerate() {
            self.put(receiver, first + index, *word);
        }
        first + words.len()
    }

    /// Sets a message register and returns the length up to and with it.
    pub(crate) fn put(&mut self, receiver: Id, index: usize, value: u64) -> usize {
        if index < REGISTER_MESSAGES {
            self.arch.frame(receiver).set_message(index, value);
        } else {
            self.arch.set_buffer(receiver, 1 + index, value);
        }
        index + 1
    }

    /// Reads a message register.
    pub(crate) fn get(&mut self, sender: Id, index: usize) -> u64 {
        if index < REGISTER_MESSAGES {
            self.arch.frame(sender).message(index)
        } else {
            self.arch.buffer(sender, 1 + index)
        }
    }

    /// Applies a parent's reply to a faulted thread; true when the thread runs again.
    pub(crate) fn apply_fault_reply(&mut self, faulted: Id, parent: Id) -> bool {
        let tag = MessageTag(self.arch.frame(parent).tag());
        match self.threads[faulted].fault {
            Fault::UnknownSyscall(_) => {
                for index in 0..tag.length().min(A::Frame::SYSCALL_REGISTERS) {
                    let value = self.get(parent, index);
                    self.arch.frame(faulted).set_syscall_register(index, value);
                }
                tag.label() == 0
            }
            Fault::UserException { .. } => {
                for index in 0..tag.length().min(A::Frame::EXCEPTION_REGISTERS) {
                    let value = self.get(parent, index);
                    self.arch.frame(faulted).set_exception_register(index, value);
                }
                tag.label() == 0
            }
            Fault::None | Fault::Capability { .. } | Fault::Vcpu { .. } | Fault::Vm { .. } => true,
        }
    }
}
