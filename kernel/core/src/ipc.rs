//! Messages through endpoints.

use crate::object::{State, Waiting};
use crate::{Arch, Fault, Frame, Id, Kernel};
use ipc_abi::MessageTag;

/// How a message is sent.
#[derive(Clone, Copy)]
pub(crate) struct Send {
    pub badge: u64,
    /// Waits for a receiver.
    pub blocking: bool,
    /// Waits for a reply.
    pub call: bool,
    /// The receiver may run on the sender's scheduling context.
    pub donate: bool,
}

impl<A: Arch> Kernel<A> {
    /// Sends the message (or the fault) of `sender` to an endpoint.
    pub(crate) fn send(&mut self, sender: Id, endpoint: Id, how: Send) {
        let receiver = match self.endpoints[endpoint].waiting {
            Waiting::Receivers => self.endpoints[endpoint].head,
            _ => None,
        };
        match receiver {
            Some(receiver) => self.deliver(sender, endpoint, receiver, how),
            None if how.blocking => self.block_on_send(sender, endpoint, how),
            None => {}
        }
    }

    fn block_on_send(&mut self, sender: Id, endpoint: Id, how: Send) {
        let thread = &mut self.threads[sender];
        thread.state = State::BlockedOnSend;
        thread.badge = how.badge;
        thread.calling = how.call;
        self.enqueue(sender, endpoint, Waiting::Senders);
    }

    fn deliver(&mut self, sender: Id, endpoint: Id, receiver: Id, how: Send) {
        self.dequeue(receiver, endpoint);
        self.transfer(sender, receiver, how.badge);
        let reply = self.threads[receiver].reply;
        if let Some(reply) = reply {
            self.unlink(reply, receiver);
        }
        self.threads[receiver].state = State::Running;
        if how.call || self.threads[sender].fault != Fault::None {
            match reply {
                Some(reply) => self.push_reply(sender, receiver, reply, how.donate),
                None => self.threads[sender].state = State::Inactive,
            }
        } else if how.donate
            && self.threads[receiver].sc.is_none()
            && let Some(sc) = self.threads[sender].sc
        {
            self.donate(sc, receiver);
        }
        self.wake(receiver);
    }

    /// Receives from an endpoint, or takes a pending signal of the receiver's own notification.
    pub(crate) fn receive(&mut self, receiver: Id, endpoint: Id, blocking: bool, reply: Option<Id>) {
        if let Some(reply) = reply
            && let Some(other) = self.replies[reply].thread
            && other != receiver
        {
            self.cancel(other);
        }
        if self.notifications[receiver].active {
            self.take_signal(receiver);
            return;
        }
        if blocking {
            self.return_lent_context(receiver);
        }
        let sender = match self.endpoints[endpoint].waiting {
            Waiting::Senders => self.endpoints[endpoint].head,
            _ => None,
        };
        match sender {
            Some(sender) => self.accept(receiver, endpoint, sender, reply),
            None if blocking => self.block_on_receive(receiver, endpoint, reply),
            None => self.arch.frame(receiver).set_badge(0),
        }
    }

    fn block_on_receive(&mut self, receiver: Id, endpoint: Id, reply: Option<Id>) {
        let thread = &mut self.threads[receiver];
        thread.state = State::BlockedOnReceive;
        thread.reply = reply;
        if let Some(reply) = reply {
            self.replies[reply].thread = Some(receiver);
        }
        self.enqueue(receiver, endpoint, Waiting::Receivers);
    }

    fn accept(&mut self, receiver: Id, endpoint: Id, sender: Id, reply: Option<Id>) {
        self.dequeue(sender, endpoint);
        let badge = self.threads[sender].badge;
        self.transfer(sender, receiver, badge);
        if self.threads[sender].calling || self.threads[sender].fault != Fault::None {
            match reply {
                Some(reply) => {
                    let donate = self.threads[sender].sc.is_some();
                    self.push_reply(sender, receiver, reply, donate);
                }
                None => self.threads[sender].state = State::Inactive,
            }
        } else {
            self.threads[sender].state = State::Running;
            self.wake(sender);
        }
    }

    /// Moves the message or the fault of one thread into the registers and buffer of another.
    pub(crate) fn transfer(&mut self, sender: Id, receiver: Id, badge: u64) {
        let tag = if self.threads[sender].fault == Fault::None {
            self.copy_message(sender, receiver)
        } else {
            self.write_fault(sender, receiver)
        };
        let frame = self.arch.frame(receiver);
        frame.set_tag(tag.0);
        frame.set_badge(badge);
    }

    /// Copies a message; capabilities never travel, so the tag keeps label and length only.
    #[inline(always)]
    fn copy_message(&mut self, sender: Id, receiver: Id) -> MessageTag {
        let from = self.arch.frame(sender);
        let tag = MessageTag(from.tag());
        let words = from.messages();
        let length = tag.length();
        let to = self.arch.frame(receiver);
        if length >= 4 {
            to.set_messages(words);
        } else {
            for (index, word) in words.iter().enumerate().take(length) {
                to.set_message(index, *word);
            }
        }
        if length > 4 {
            self.arch.copy_buffer(sender, receiver, length);
        }
        MessageTag::new(tag.label(), length)
    }

    /// Ends whatever wait or fault a thread is in; a thread that was waiting becomes inactive.
    pub(crate) fn cancel(&mut self, id: Id) {
        self.threads[id].fault = Fault::None;
        match self.threads[id].state {
            State::BlockedOnSend | State::BlockedOnReceive => {
                if let Some(endpoint) = self.threads[id].endpoint {
                    self.dequeue(id, endpoint);
                }
                if let Some(reply) = self.threads[id].reply {
                    self.unlink(reply, id);
                }
                self.threads[id].state = State::Inactive;
            }
            State::BlockedOnNotification => self.threads[id].state = State::Inactive,
            State::BlockedOnReply => self.abandon_reply(id),
            State::Inactive | State::Running | State::Restart => {}
        }
    }

    /// Queues a thread on an endpoint, behind those of its priority.
    fn enqueue(&mut self, id: Id, endpoint: Id, waiting: Waiting) {
        let priority = self.threads[id].priority;
        let mut before = self.endpoints[endpoint].tail;
        while let Some(other) = before
            && self.threads[other].priority < priority
        {
            before = self.threads[other].prev;
        }
        let after = match before {
            Some(before) => self.threads[before].next.replace(id),
            None => self.endpoints[endpoint].head.replace(id),
        };
        match after {
            Some(after) => self.threads[after].prev = Some(id),
            None => self.endpoints[endpoint].tail = Some(id),
        }
        let thread = &mut self.threads[id];
        (thread.prev, thread.next, thread.endpoint) = (before, after, Some(endpoint));
        self.endpoints[endpoint].waiting = waiting;
    }

    pub(crate) fn dequeue(&mut self, id: Id, endpoint: Id) {
        let (prev, next) = (self.threads[id].prev, self.threads[id].next);
        match prev {
            Some(prev) => self.threads[prev].next = next,
            None => self.endpoints[endpoint].head = next,
        }
        match next {
            Some(next) => self.threads[next].prev = prev,
            None => self.endpoints[endpoint].tail = prev,
        }
        if prev.is_none() && next.is_none() {
            self.endpoints[endpoint].waiting = Waiting::Nobody;
        }
        let thread = &mut self.threads[id];
        (thread.prev, thread.next, thread.endpoint) = (None, None, None);
    }
}
