//! Channels to other PDs, interrupts, and children.

use crate::backend;
use crate::message::MessageInfo;
use ipc_abi::{label, slot};

/// A channel or interrupt of this PD, by the id that the system description gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel(u8);

impl Channel {
    /// Ids are below 62.
    pub const fn new(id: u8) -> Self {
        assert!(id < 62, "channel ids are below 62");
        Self(id)
    }
    /// The id.
    pub const fn id(self) -> u8 {
        self.0
    }
    /// Signals the other side; several signals before it looks merge into one.
    pub fn notify(self) {
        backend::send(slot::NOTIFY_BASE + u64::from(self.0), MessageInfo::default())
    }
    /// Lets the interrupt happen again.
    pub fn irq_ack(self) {
        backend::call(slot::IRQ_BASE + u64::from(self.0), MessageInfo::new(label::IRQ_ACK, 0));
    }
    /// Calls a PD of higher priority and waits for its answer.
    pub fn pp_call(self, message: MessageInfo) -> MessageInfo {
        backend::call(slot::CALL_BASE + u64::from(self.0), message)
    }
    /// As [`Channel::notify`], together with the next wait: one system call less.
    pub fn defer_notify(self) {
        backend::defer(slot::NOTIFY_BASE + u64::from(self.0), MessageInfo::default())
    }
    /// Where a PCI device writes to raise this interrupt on the executing core, and what, if it has message-signalled
    /// ones (x86-64) and the description's `vector` is the channel's id.
    pub fn irq_message(self) -> Option<(u64, u32)> {
        backend::interrupt_message(self.0)
    }
    /// As [`Channel::irq_ack`], together with the next wait.
    pub fn defer_irq_ack(self) {
        backend::defer(slot::IRQ_BASE + u64::from(self.0), MessageInfo::new(label::IRQ_ACK, 0))
    }
}

/// The channels that have been signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSet(u64);

impl ChannelSet {
    /// From a notification badge: bit `i` is channel `i`.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
    /// Whether `channel` was signalled.
    pub const fn contains(self, channel: Channel) -> bool {
        self.0 >> channel.0 & 1 == 1
    }
    /// The signalled channels, lowest id first.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        (0..62).map(Channel).filter(move |channel| self.contains(*channel))
    }
}

/// The kernel refused a request about a child; the number is seL4's error label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlError(pub u64);

/// A child PD, by the id that the system description gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Child(u8);

impl Child {
    /// Ids are below 62.
    pub const fn new(id: u8) -> Self {
        assert!(id < 62, "child ids are below 62");
        Self(id)
    }
    /// The id.
    pub const fn id(self) -> u8 {
        self.0
    }
    fn control(self, message: MessageInfo) -> Result<(), ControlError> {
        match backend::call(slot::CHILD_BASE + u64::from(self.0), message).label() {
            0 => Ok(()),
            error => Err(ControlError(error)),
        }
    }
    /// Stops the child where it is.
    ///
    /// # Errors
    /// [`ControlError`] when the kernel refuses, which it does only for a channel that does not exist.
    pub fn stop(self) -> Result<(), ControlError> {
        self.control(MessageInfo::new(label::TCB_SUSPEND, 0))
    }
    /// Lets a stopped child go on.
    ///
    /// # Errors
    /// As for [`Child::stop`].
    pub fn resume(self) -> Result<(), ControlError> {
        self.control(MessageInfo::new(label::TCB_RESUME, 0))
    }
    /// Where the child is, or faulted: for reports, since it may go on meanwhile.
    ///
    /// # Errors
    /// As for [`Child::stop`].
    pub fn program_counter(self) -> Result<u64, ControlError> {
        for (i, word) in [0, 1].into_iter().enumerate() {
            backend::set_mr(i, word);
        }
        self.control(MessageInfo::new(label::TCB_READ_REGISTERS, 2))?;
        Ok(backend::get_mr(0))
    }
    /// Starts the child at `entry`; its runtime then begins with a fresh stack and fresh data.
    ///
    /// # Errors
    /// As for [`Child::stop`].
    pub fn restart(self, entry: u64) -> Result<(), ControlError> {
        for (i, word) in [1, 1, entry].into_iter().enumerate() {
            backend::set_mr(i, word);
        }
        self.control(MessageInfo::new(label::TCB_WRITE_REGISTERS, 3))
    }
}
