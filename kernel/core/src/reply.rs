//! Reply objects and the donation of scheduling contexts along calls.
//!
//! One design rule: the reply objects through which a scheduling context was donated form a stack under that context
//! (`below` towards the first caller, `above` towards the context), so a reply gives it back to exactly the caller.

use crate::object::{Above, State};
use crate::{Arch, Fault, Frame, Id, Kernel, MAX_CORES};

impl<A: Arch> Kernel<A> {
    /// Blocks `caller` on `reply` and, where asked and possible, lends its scheduling context to `callee`.
    pub(crate) fn push_reply(&mut self, caller: Id, callee: Id, reply: Id, donate: bool) {
        self.replies[reply].thread = Some(caller);
        let thread = &mut self.threads[caller];
        thread.state = State::BlockedOnReply;
        thread.reply = Some(reply);
        let Some(sc) = thread.sc else { return };
        if !donate || self.threads[callee].sc.is_some() {
            return;
        }
        let old = self.contexts[sc].reply.replace(reply);
        if let Some(old) = old {
            self.replies[old].above = Above::Reply(reply);
        }
        self.replies[reply].below = old;
        self.replies[reply].above = Above::Context(sc);
        self.donate(sc, callee);
    }

    /// Gives a scheduling context to a thread that has none; its old holder loses it.
    pub(crate) fn donate(&mut self, sc: Id, to: Id) {
        if let Some(from) = self.contexts[sc].thread {
            self.withdraw(from);
            self.threads[from].sc = None;
        }
        self.stop_waiting(sc);
        self.contexts[sc].thread = Some(to);
        self.threads[to].sc = Some(sc);
        self.threads[to].core = self.contexts[sc].core;
    }

    /// A server replies with the message in its registers; nothing happens where nobody waits for this reply.
    pub(crate) fn reply(&mut self, server: Id, reply: Id) {
        let Some(caller) = self.replies[reply].thread else { return };
        if self.threads[caller].state != State::BlockedOnReply {
            return;
        }
        self.remove_reply(reply, caller);
        if self.threads[caller].fault == Fault::None {
            self.transfer(server, caller, 0);
            self.threads[caller].state = State::Running;
        } else {
            let restart = self.apply_fault_reply(caller, server);
            self.threads[caller].fault = Fault::None;
            self.threads[caller].state = if restart { State::Restart } else { State::Inactive };
        }
        self.wake_first(caller);
    }

    /// Takes a reply object out of its stack; from the top the scheduling context goes back to the caller.
    fn remove_reply(&mut self, reply: Id, caller: Id) {
        match self.replies[reply].above {
            Above::Context(sc) => {
                let below = self.replies[reply].below;
                self.contexts[sc].reply = below;
                if let Some(below) = below {
                    self.replies[below].above = Above::Context(sc);
                }
                if self.threads[caller].sc.is_none() {
                    self.donate(sc, caller);
                }
            }
            _ => self.cut_stack(reply),
        }
        self.clear_reply(reply, caller);
    }

    /// The caller no longer waits; a context that it lent stays with its holder.
    pub(crate) fn abandon_reply(&mut self, caller: Id) {
        if let Some(reply) = self.threads[caller].reply {
            self.cut_stack(reply);
            self.clear_reply(reply, caller);
        }
        self.threads[caller].state = State::Inactive;
    }

    fn cut_stack(&mut self, reply: Id) {
        match self.replies[reply].above {
            Above::Context(sc) => self.contexts[sc].reply = None,
            Above::Reply(above) => self.replies[above].below = None,
            Above::Nothing => {}
        }
        if let Some(below) = self.replies[reply].below {
            self.replies[below].above = Above::Nothing;
        }
    }

    fn clear_reply(&mut self, reply: Id, caller: Id) {
        self.replies[reply].above = Above::Nothing;
        self.replies[reply].below = None;
        self.unlink(reply, caller);
        self.threads[caller].state = State::Inactive;
    }

    /// Separates a reply object from the thread that offers it or waits on it.
    pub(crate) fn unlink(&mut self, reply: Id, thread: Id) {
        self.replies[reply].thread = None;
        self.threads[thread].reply = None;
    }

    /// Stops a thread where it is. A system call it waits in starts again when it is resumed.
    pub(crate) fn suspend(&mut self, id: Id) {
        let elsewhere = self.stop_elsewhere(id);
        self.cancel(id);
        if !elsewhere && self.threads[id].state == State::Running {
            let frame = self.arch.frame(id);
            let pc = frame.pc();
            frame.set_restart_pc(pc);
        }
        self.withdraw(id);
        self.threads[id].state = State::Inactive;
    }

    /// Makes a stopped or waiting thread run from its restart address.
    pub(crate) fn restart(&mut self, id: Id) {
        if matches!(self.threads[id].state, State::Running | State::Restart) {
            return;
        }
        self.cancel(id);
        self.threads[id].state = State::Restart;
        self.wake(id);
    }

    /// Where another core is executing the thread, waits until that core is in the kernel; the core then drops the
    /// system call that the thread may have been about to make, and the thread would make it again.
    pub(crate) fn stop_elsewhere(&mut self, id: Id) -> bool {
        let core = usize::from(self.threads[id].core) & (MAX_CORES - 1);
        let running = core != self.here && self.cores[core].current == Some(id);
        let running = running && matches!(self.threads[id].state, State::Running | State::Restart);
        if running {
            self.arch.stall(core);
            self.cores[core].interrupted = true;
            let frame = self.arch.frame(id);
            let pc = frame.restart_pc();
            frame.set_pc(pc);
        }
        running
    }
}
