//! The objects and the kernel that holds them.

use crate::port::PortRange;
use crate::ready::ReadyQueues;
use crate::refill::Refills;
use crate::{Arch, Capability, Fault, Id, OBJECTS, SLOTS, Table};

/// Most cores.
pub const MAX_CORES: usize = 4;
/// Most interrupt lines that PDs may own.
pub(crate) const MAX_LINES: usize = 128;
/// Most ranges of I/O ports that PDs may own.
pub(crate) const MAX_PORTS: usize = 64;
/// Interrupt numbers.
pub(crate) const MAX_IRQ: usize = 1024;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum State {
    /// Stopped: by its parent, by a fault nobody handles, or never started.
    #[default]
    Inactive,
    /// Runs when it has time.
    Running,
    /// Runs from its restart address.
    Restart,
    /// Waits on an endpoint for a message.
    BlockedOnReceive,
    /// Waits on an endpoint for a receiver.
    BlockedOnSend,
    /// Waits for a reply.
    BlockedOnReply,
    /// Waits for a signal.
    BlockedOnNotification,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Thread {
    pub state: State,
    pub priority: u8,
    pub core: u8,
    /// In a ready queue.
    pub queued: bool,
    /// Sender: waits for a reply once the message is taken.
    pub calling: bool,
    /// Has an endpoint as its input.
    pub has_endpoint: bool,
    pub passive: bool,
    /// Scheduling context it runs on.
    pub sc: Option<Id>,
    /// Neighbours in the one queue it is in.
    pub next: Option<Id>,
    pub prev: Option<Id>,
    /// Endpoint it waits on.
    pub endpoint: Option<Id>,
    /// Receiving: the reply object it offers. Waiting for a reply: the one it waits on.
    pub reply: Option<Id>,
    pub parent: Option<Id>,
    /// Its id in its parent.
    pub child_id: u8,
    /// Badge of the message it is sending.
    pub badge: u64,
    pub fault: Fault,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum Waiting {
    #[default]
    Nobody,
    Senders,
    Receivers,
}

/// A queue of threads, highest priority first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Endpoint {
    pub waiting: Waiting,
    pub head: Option<Id>,
    pub tail: Option<Id>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notification {
    /// Signalled and not yet taken. A signal with badge 0 counts.
    pub active: bool,
    pub badge: u64,
    /// A passive PD's own scheduling context, lent while it handles a signal.
    pub sc: Option<Id>,
}

/// What lies above a reply object in the stack of a donated scheduling context.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum Above {
    #[default]
    Nothing,
    Reply(Id),
    Context(Id),
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reply {
    /// The caller that waits, or the receiver that offers this object.
    pub thread: Option<Id>,
    pub below: Option<Id>,
    pub above: Above,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SchedulingContext {
    pub thread: Option<Id>,
    /// Top of the stack of calls that it was donated along.
    pub reply: Option<Id>,
    pub core: u8,
    /// Waits for its next refill.
    pub postponed: bool,
    pub refills: Refills,
}

pub(crate) struct Core {
    pub current: Option<Id>,
    /// Scheduling context that is being charged, since `since`.
    pub sc: Option<Id>,
    pub since: u64,
    /// The deadline is stale.
    pub reprogram: bool,
    /// The current thread was moved by another core: its system call must not run.
    pub interrupted: bool,
    /// Scheduling contexts waiting for a refill, by slot.
    pub postponed: u64,
    pub ready: ReadyQueues,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub irq: u32,
    pub owner: Option<Id>,
    pub bit: u8,
}

/// The whole kernel state.
pub struct Kernel<A> {
    /// The machine.
    pub arch: A,
    pub(crate) threads: Table<Thread>,
    pub(crate) endpoints: Table<Endpoint>,
    pub(crate) notifications: Table<Notification>,
    pub(crate) replies: Table<Reply>,
    pub(crate) contexts: Table<SchedulingContext>,
    pub(crate) capabilities: Table<[Capability; SLOTS]>,
    pub(crate) cores: [Core; MAX_CORES],
    pub(crate) lines: [Line; MAX_LINES],
    /// Line of an interrupt plus one, 0 where it has none.
    pub(crate) line_of: [u8; MAX_IRQ],
    pub(crate) ports: [PortRange; MAX_PORTS],
    /// The core that holds the lock.
    pub(crate) here: usize,
    /// Cores to interrupt before the lock is let go, by bit.
    pub(crate) kicks: u8,
}

impl<A: Arch> Kernel<A> {
    /// A kernel without protection domains. All zero apart from `arch`, so it may stand in `.bss`.
    pub const fn new(arch: A) -> Self {
        Self {
            arch,
            threads: Table([const { THREAD }; OBJECTS]),
            endpoints: Table([const { ENDPOINT }; OBJECTS]),
            notifications: Table([const { NOTIFICATION }; OBJECTS]),
            replies: Table([const { REPLY }; OBJECTS]),
            contexts: Table([const { CONTEXT }; OBJECTS]),
            capabilities: Table([[Capability::Null; SLOTS]; OBJECTS]),
            cores: [const { CORE }; MAX_CORES],
            lines: [Line { irq: 0, owner: None, bit: 0 }; MAX_LINES],
            line_of: [0; MAX_IRQ],
            ports: [PortRange { first: 0, count: 0 }; MAX_PORTS],
            here: 0,
            kicks: 0,
        }
    }

    /// The thread that the executing core runs.
    #[inline(always)]
    pub fn current(&self) -> Option<Id> {
        self.cores[self.here & (MAX_CORES - 1)].current
    }

    #[inline(always)]
    pub(crate) fn core(&mut self) -> &mut Core {
        &mut self.cores[self.here & (MAX_CORES - 1)]
    }

    /// What a thread is doing.
    pub fn state(&self, thread: Id) -> State {
        self.threads[thread].state
    }
}

const THREAD: Thread = Thread {
    state: State::Inactive,
    priority: 0,
    core: 0,
    queued: false,
    calling: false,
    has_endpoint: false,
    passive: false,
    sc: None,
    next: None,
    prev: None,
    endpoint: None,
    reply: None,
    parent: None,
    child_id: 0,
    badge: 0,
    fault: Fault::None,
};
const ENDPOINT: Endpoint = Endpoint { waiting: Waiting::Nobody, head: None, tail: None };
const NOTIFICATION: Notification = Notification { active: false, badge: 0, sc: None };
const REPLY: Reply = Reply { thread: None, below: None, above: Above::Nothing };
const CONTEXT: SchedulingContext =
    SchedulingContext { thread: None, reply: None, core: 0, postponed: false, refills: Refills::NONE };
const CORE: Core = Core {
    current: None,
    sc: None,
    since: 0,
    reprogram: false,
    interrupted: false,
    postponed: 0,
    ready: ReadyQueues::EMPTY,
};
