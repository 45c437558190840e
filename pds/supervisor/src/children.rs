//! The children: their names and numbers in the system description, and how patient the supervisor is with each.
//!
//! One design rule: what differs between PDs stands in this table, not in code.

use ipc_pd::Channel;

/// Number of children that the system description may have.
pub const COUNT: usize = 11;

/// Indexes of [`CHILDREN`], which are also the child ids of the system description.
pub const TIMER: usize = 0;
/// The console.
pub const CONSOLE: usize = 1;
/// The disk.
pub const STORAGE: usize = 2;
/// The conversation.
pub const SESSION: usize = 3;
/// The model loader.
pub const LOADER: usize = 4;
/// The retriever.
pub const RETRIEVER: usize = 5;
/// The leader of the compute group.
pub const COMPUTE: usize = 6;
/// Learns adapters.
pub const TRAINER: usize = 10;

/// The link to console.
pub const CONSOLE_CHANNEL: Channel = Channel::new(2);
/// The link to session.
pub const SESSION_CHANNEL: Channel = Channel::new(3);
/// The link to compute.
pub const COMPUTE_CHANNEL: Channel = Channel::new(5);
/// The link to loader.
pub const LOADER_CHANNEL: Channel = Channel::new(6);
/// The link to the retriever.
pub const RETRIEVER_CHANNEL: Channel = Channel::new(15);
/// The link to storage.
pub const STORAGE_CHANNEL: Channel = Channel::new(14);
/// The timer.
pub const TIMER_CHANNEL: Channel = Channel::new(21);

/// How one child is treated.
#[derive(Debug)]
pub struct Policy {
    /// Its name.
    pub name: &'static str,
    /// Milliseconds that it may work on one event without a heartbeat, and be silent when asked for one.
    pub patience_ms: u32,
    /// The channel on which it can be asked for a heartbeat.
    pub ping: Option<Channel>,
    /// Core and priority when the platform page does not say.
    pub core: u8,
    /// See `core`.
    pub priority: u8,
    /// What a restart costs, for people.
    pub lost: &'static str,
    /// Why the user may not stop it; empty: they may.
    pub keep: &'static str,
}

const NONE: Policy = Policy {
    name: "",
    patience_ms: 20_000,
    ping: None,
    core: 0,
    priority: 100,
    lost: "the token it was working on is computed again",
    keep: "",
};

/// All children, higher priorities first: the watchdog depends on this order.
pub static CHILDREN: [Policy; COUNT] = [
    Policy {
        name: "timer",
        patience_ms: 2_000,
        ping: Some(TIMER_CHANNEL),
        priority: 240,
        lost: "timeouts that were set are asked for again",
        keep: "every other part waits for it",
        ..NONE
    },
    Policy {
        name: "console",
        patience_ms: 2_000,
        ping: Some(CONSOLE_CHANNEL),
        priority: 200,
        lost: "the line being typed is lost",
        keep: "nobody could start it again",
        ..NONE
    },
    Policy {
        name: "storage",
        patience_ms: 5_000,
        ping: Some(STORAGE_CHANNEL),
        priority: 190,
        lost: "reads under way are repeated",
        ..NONE
    },
    Policy {
        name: "session",
        patience_ms: 10_000,
        ping: Some(SESSION_CHANNEL),
        priority: 150,
        lost: "the conversation is lost, the model is kept",
        ..NONE
    },
    Policy {
        name: "loader",
        patience_ms: 10_000,
        ping: Some(LOADER_CHANNEL),
        priority: 120,
        lost: "a load under way starts again",
        ..NONE
    },
    Policy {
        name: "retriever",
        // A layer of the embedding model over a whole passage takes long on an emulated machine.
        patience_ms: 20_000,
        ping: Some(RETRIEVER_CHANNEL),
        lost: "a question or note under way is lost, what is stored stays",
        ..NONE
    },
    Policy { name: "compute", ping: Some(COMPUTE_CHANNEL), lost: "its context is kept", ..NONE },
    Policy { name: "compute_1", ping: Some(Channel::new(16)), core: 1, ..NONE },
    Policy { name: "compute_2", ping: Some(Channel::new(17)), core: 2, ..NONE },
    Policy { name: "compute_3", ping: Some(Channel::new(18)), core: 3, ..NONE },
    Policy {
        name: "trainer",
        ping: Some(Channel::new(19)),
        lost: "learning under way is lost; what is learnt stays",
        ..NONE
    },
];

/// The children that are stopped and restarted together with `index`: compute's workers read the weights on its
/// behalf, so when it can no longer say that they have stopped, they are stopped with it.
pub fn group(index: usize) -> core::ops::Range<usize> {
    if index == COMPUTE { COMPUTE..TRAINER } else { index..index + 1 }
}

/// The index of the child of this name.
pub fn by_name(name: &[u8]) -> Option<usize> {
    CHILDREN.iter().position(|child| child.name.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_stand_in_order_of_priority() {
        assert!(CHILDREN.is_sorted_by_key(|child| core::cmp::Reverse(child.priority)));
    }

    #[test]
    fn workers_are_stopped_with_compute_but_not_the_other_way_round() {
        assert_eq!(group(COMPUTE), 6..10);
        assert_eq!(group(8), 8..9);
        assert_eq!(group(TRAINER), 10..11);
        assert_eq!(group(CONSOLE), 1..2);
        assert_eq!(by_name(b"compute_3"), Some(9));
        assert_eq!(by_name(b"compute_4"), None);
    }
}
