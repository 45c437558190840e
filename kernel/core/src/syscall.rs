//! System calls.

use crate::invoke::Mode;
use crate::object::State;
use crate::{Arch, Capability, Fault, Frame, Id, Kernel, LookupFailure};
use ipc_abi::syscall;

/// System calls that libmicrokit does not use but every MCS kernel has (seL4 `sel4/syscall.h`).
mod further {
    pub const NB_SEND_WAIT: i64 = -4;
    pub const NB_SEND: i64 = -6;
    pub const NB_RECV: i64 = -8;
    pub const WAIT: i64 = -9;
    pub const NB_WAIT: i64 = -10;
    pub const YIELD: i64 = -11;
}

impl<A: Arch> Kernel<A> {
    /// Takes the lock's core number: every entry begins with it. False: the thread was moved by another core while
    /// this one waited, so what it asked must be dropped.
    pub fn enter(&mut self, core: usize) -> bool {
        self.here = core & (crate::MAX_CORES - 1);
        !core::mem::take(&mut self.core().interrupted)
    }

    /// Carries out the current thread's system call, as its saved registers say. [`Kernel::schedule`] comes next.
    pub fn syscall(&mut self) {
        let Some(caller) = self.current() else { return };
        let frame = self.arch.frame(caller);
        let (number, first) = (frame.syscall(), frame.capability());
        match number {
            syscall::CALL => self.invoke(caller, first, Mode::CALL),
            syscall::SEND => self.invoke(caller, first, Mode::SEND),
            further::NB_SEND => self.invoke(caller, first, Mode::NB_SEND),
            syscall::RECV => self.receive_from(caller, first, true, true),
            syscall::REPLY_RECV => {
                let reply = self.arch.frame(caller).reply();
                self.send_and_receive(caller, reply, first, true);
            }
            syscall::NB_SEND_RECV => {
                let destination = self.arch.frame(caller).send_destination();
                self.send_and_receive(caller, destination, first, true);
            }
            further::NB_SEND_WAIT => {
                let destination = self.arch.frame(caller).reply();
                self.send_and_receive(caller, destination, first, false);
            }
            further::NB_RECV => self.receive_from(caller, first, false, true),
            further::WAIT => self.receive_from(caller, first, true, false),
            further::NB_WAIT => self.receive_from(caller, first, false, false),
            further::YIELD => self.yield_turn(caller),
            unknown => self.fault(caller, Fault::UnknownSyscall(unknown as u64)),
        }
    }

    fn send_and_receive(&mut self, caller: Id, send: u64, receive: u64, can_reply: bool) {
        self.invoke(caller, send, Mode::FIRST_PHASE);
        if self.threads[caller].state == State::Running {
            self.receive_from(caller, receive, true, can_reply);
        }
    }

    fn receive_from(&mut self, caller: Id, address: u64, blocking: bool, can_reply: bool) {
        let capability = crate::capability::lookup(&self.capabilities[caller], address);
        match capability {
            Ok(Capability::Endpoint { target, .. }) if can_reply => {
                let reply = self.arch.frame(caller).reply();
                match crate::capability::lookup(&self.capabilities[caller], reply) {
                    Ok(Capability::Reply(reply)) => self.receive(caller, target, blocking, Some(reply)),
                    Ok(_) => self.receive_fault(caller, reply, LookupFailure::Missing),
                    Err(failure) => self.receive_fault(caller, reply, failure),
                }
            }
            Ok(Capability::Endpoint { target, .. }) => self.receive(caller, target, blocking, None),
            Ok(Capability::Notification { target, .. }) if target == caller => self.wait(caller, blocking),
            Ok(_) => self.receive_fault(caller, address, LookupFailure::Missing),
            Err(failure) => self.receive_fault(caller, address, failure),
        }
    }

    fn receive_fault(&mut self, caller: Id, address: u64, failure: LookupFailure) {
        self.fault(caller, Fault::Capability { address, receiving: true, failure });
    }
}
