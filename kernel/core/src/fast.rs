//! The short paths of the two operations that every protected call makes: call a waiting passive server, and reply to
//! the caller and wait again.
//!
//! One design rule: a short path checks everything before it changes anything, and otherwise leaves the work to the
//! general path. It brings the same objects into the same state as the general path (the tests compare the two).
//! The scheduling context moves with the call, so neither clock nor deadline nor ready queues are touched.

use crate::capability::lookup;
use crate::object::{Above, Reply, State, Waiting};
use crate::{Arch, Capability, Fault, Frame, Id, Kernel};

impl<A: Arch> Kernel<A> {
    /// Tries to carry out the current thread's system call and to switch to the thread that runs next. False: nothing
    /// was changed, and [`Kernel::syscall`] and [`Kernel::schedule`] must do it.
    #[inline(always)]
    pub fn fast_syscall(&mut self) -> bool {
        let Some(current) = self.current() else { return false };
        let next = match self.arch.frame(current).syscall() {
            ipc_abi::syscall::CALL => self.fast_call(current),
            ipc_abi::syscall::REPLY_RECV => self.fast_reply_receive(current),
            _ => None,
        };
        let Some(next) = next else { return false };
        self.core().current = Some(next);
        self.arch.switch_to(Some(next));
        true
    }

    #[inline(always)]
    fn fast_call(&mut self, caller: Id) -> Option<Id> {
        let frame = self.arch.frame(caller);
        let (address, tag) = (frame.capability(), frame.tag());
        let capability = lookup(&self.capabilities[caller], address).ok()?;
        let Capability::Endpoint { target, .. } = capability else { return None };
        let endpoint = self.endpoints[target];
        let server = endpoint.head?;
        let sc = self.threads[caller].sc?;
        let reply = self.threads[server].reply?;
        let fits = tag & LENGTH <= 4
            && endpoint.waiting == Waiting::Receivers
            && self.threads[server].next.is_none()
            && self.threads[server].sc.is_none()
            && self.threads[server].priority > self.threads[caller].priority
            && self.core().sc == Some(sc)
            && !self.core().reprogram
            && !self.contexts[sc].postponed;
        if !fits {
            return None;
        }
        self.endpoints[target].head = None;
        self.endpoints[target].tail = None;
        self.endpoints[target].waiting = Waiting::Nobody;
        let below = self.contexts[sc].reply.replace(reply);
        if let Some(below) = below {
            self.replies[below].above = Above::Reply(reply);
        }
        self.replies[reply] = Reply { thread: Some(caller), below, above: Above::Context(sc) };
        self.contexts[sc].thread = Some(server);
        let core = self.contexts[sc].core;
        let thread = &mut self.threads[caller];
        (thread.state, thread.reply, thread.sc) = (State::BlockedOnReply, Some(reply), None);
        let thread = &mut self.threads[server];
        (thread.state, thread.reply, thread.sc) = (State::Running, None, Some(sc));
        (thread.endpoint, thread.core) = (None, core);
        self.fast_message(caller, server, tag, capability.badge());
        Some(server)
    }

    #[inline(always)]
    fn fast_reply_receive(&mut self, server: Id) -> Option<Id> {
        let frame = self.arch.frame(server);
        let (address, tag, reply) = (frame.capability(), frame.tag(), frame.reply());
        let Ok(Capability::Reply(reply)) = lookup(&self.capabilities[server], reply) else { return None };
        let Ok(Capability::Endpoint { target, .. }) = lookup(&self.capabilities[server], address) else {
            return None;
        };
        let Reply { thread, below, above } = self.replies[reply];
        let caller = thread?;
        let sc = self.threads[server].sc?;
        let highest = self.core().ready.highest();
        let here = self.here;
        let thread = &self.threads[caller];
        let fits = tag & LENGTH <= 4
            && above == Above::Context(sc)
            && thread.state == State::BlockedOnReply
            && thread.fault == Fault::None
            && thread.sc.is_none()
            && highest.is_none_or(|highest| highest <= thread.priority)
            && self.endpoints[target].waiting == Waiting::Nobody
            && !self.notifications[server].active
            && self.notifications[server].sc != Some(sc)
            && self.core().sc == Some(sc)
            && !self.core().reprogram
            && !self.contexts[sc].postponed
            && usize::from(self.contexts[sc].core) == here;
        if !fits {
            return None;
        }
        self.contexts[sc].reply = below;
        if let Some(below) = below {
            self.replies[below].above = Above::Context(sc);
        }
        self.replies[reply] = Reply { thread: Some(server), below: None, above: Above::Nothing };
        self.contexts[sc].thread = Some(caller);
        let core = self.contexts[sc].core;
        let thread = &mut self.threads[caller];
        (thread.state, thread.reply, thread.sc, thread.core) = (State::Running, None, Some(sc), core);
        let thread = &mut self.threads[server];
        (thread.state, thread.reply, thread.sc) = (State::BlockedOnReceive, Some(reply), None);
        thread.endpoint = Some(target);
        let endpoint = &mut self.endpoints[target];
        (endpoint.head, endpoint.tail, endpoint.waiting) = (Some(server), Some(server), Waiting::Receivers);
        self.fast_message(server, caller, tag, 0);
        Some(caller)
    }

    /// Moves a message of at most four words, and no register beyond its length.
    #[inline(always)]
    fn fast_message(&mut self, from: Id, to: Id, tag: u64, badge: u64) {
        let words = self.arch.frame(from).messages();
        let frame = self.arch.frame(to);
        let length = tag & LENGTH;
        if length >= 4 {
            frame.set_messages(words);
        } else {
            for (index, word) in words.iter().enumerate().take(length as usize) {
                frame.set_message(index, *word);
            }
        }
        frame.set_tag(tag & !CAPABILITIES);
        frame.set_badge(badge);
    }
}

/// Message length in a tag.
const LENGTH: u64 = 0x7f;
/// Unwrapped and extra capabilities in a tag.
const CAPABILITIES: u64 = 0x1f << 7;
