//! Notifications: one word of pending bits per PD, bound to its thread.

use crate::object::State;
use crate::{Arch, Capability, Frame, Id, Kernel, MAX_CORES};

impl<A: Arch> Kernel<A> {
    /// Signals a PD's notification.
    pub(crate) fn signal(&mut self, target: Id, badge: u64) {
        match self.threads[target].state {
            State::BlockedOnReceive if !self.notifications[target].active => {
                self.cancel(target);
                self.deliver_signal(target, badge);
            }
            State::BlockedOnNotification => self.deliver_signal(target, badge),
            _ => {
                let notification = &mut self.notifications[target];
                notification.active = true;
                notification.badge |= badge;
            }
        }
    }

    fn deliver_signal(&mut self, target: Id, badge: u64) {
        self.threads[target].state = State::Running;
        self.arch.frame(target).set_badge(badge);
        self.arch.frame(target).set_tag(0);
        self.lend_context(target);
        self.wake(target);
    }

    /// Takes the pending bits.
    pub(crate) fn take_signal(&mut self, id: Id) {
        let notification = &mut self.notifications[id];
        notification.active = false;
        let badge = core::mem::take(&mut notification.badge);
        let frame = self.arch.frame(id);
        frame.set_badge(badge);
        frame.set_tag(0);
        self.lend_context(id);
    }

    /// Waits on the thread's own notification.
    pub(crate) fn wait(&mut self, id: Id, blocking: bool) {
        if self.notifications[id].active {
            self.take_signal(id);
        } else if blocking {
            self.threads[id].state = State::BlockedOnNotification;
            self.return_lent_context(id);
        } else {
            self.arch.frame(id).set_badge(0);
        }
    }

    /// A passive PD handles a signal on its own scheduling context.
    fn lend_context(&mut self, id: Id) {
        if self.threads[id].sc.is_none()
            && let Some(sc) = self.notifications[id].sc
            && self.contexts[sc].thread.is_none()
        {
            self.donate(sc, id);
        }
    }

    /// A passive PD that waits again has no scheduling context, so that callers can lend it theirs.
    pub(crate) fn return_lent_context(&mut self, id: Id) {
        let lent = self.notifications[id].sc;
        if lent.is_some() && lent == self.threads[id].sc {
            self.withdraw(id);
            self.threads[id].sc = None;
            if let Some(sc) = lent {
                self.contexts[sc].thread = None;
            }
        }
    }

    /// What Microkit's monitor does for a passive PD after init: from now on its scheduling context belongs to its
    /// notification.
    pub(crate) fn become_passive(&mut self, id: Id) {
        if self.threads[id].passive {
            self.notifications[id].sc = Some(id);
        }
    }

    /// A device interrupt arrived (the caller has masked its line). False: no PD owns it.
    pub fn interrupt(&mut self, irq: u32) -> bool {
        let line = self.line_of.get(irq as usize).copied().unwrap_or(0);
        let Some(line) = usize::from(line).checked_sub(1).and_then(|line| self.lines.get(line)) else {
            return false;
        };
        let Some(owner) = line.owner else { return false };
        let badge = Capability::Notification { target: owner, bit: line.bit }.badge();
        self.signal(owner, badge);
        true
    }

    /// Lets a line deliver again.
    pub(crate) fn acknowledge(&mut self, line: u8) {
        let Some(line) = self.lines.get(usize::from(line)) else { return };
        let Some(owner) = line.owner else { return };
        let core = usize::from(self.contexts[owner].core) & (MAX_CORES - 1);
        self.arch.unmask(line.irq, core);
    }
}
