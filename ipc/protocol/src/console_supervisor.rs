//! Console and supervisor: the state of the system, and what went wrong.

use crate::{Name, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// From console to supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSupervisor {
    /// Describe every PD, then `StatusEnd`.
    Status,
    /// Restart a PD.
    Restart {
        /// Its name.
        name: Name,
    },
    /// Stop a PD.
    Stop {
        /// Its name.
        name: Name,
    },
    /// The user leaves: stop everything, then power the machine off where it can be.
    Shutdown,
}

/// What a PD is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum State {
    /// Waits for work.
    Idle,
    /// Works.
    Busy,
    /// Stopped on purpose (a sealed loader) or by the user.
    Stopped,
    /// Faulted and not restarted.
    Faulted,
    /// Being restarted.
    Restarting,
    /// Works longer on one event than the watchdog allows.
    Hung,
}

/// From supervisor to console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToConsole {
    /// One PD.
    Pd {
        /// Its name.
        name: Name,
        /// What it is doing.
        state: State,
        /// Share of its core since the last status, in 1/1000.
        cpu_permille: u16,
        /// Restarts since boot.
        restarts: u32,
        /// Bytes of memory of its own.
        memory: u64,
        /// Its gauges, as it reports them.
        gauges: [u64; 4],
        /// Core it is pinned to.
        core: u8,
    },
    /// No more PDs.
    StatusEnd,
    /// A PD faulted.
    Fault(FaultReport),
    /// A line for the user.
    Notice {
        /// Bytes of UTF-8.
        text: Piece,
    },
}

/// A fault, as a person can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct FaultReport {
    /// The PD.
    pub pd: Name,
    /// seL4's fault label (`ipc_abi::fault`), or 0 for a hang.
    pub cause: u64,
    /// Address for a memory fault, instruction or system call number otherwise.
    pub address: u64,
    /// Program counter.
    pub pc: u64,
    /// Fault status register of a memory fault.
    pub status: u64,
    /// What the supervisor did.
    pub action: Action,
}

/// What was done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Action {
    /// The PD was restarted.
    Restarted,
    /// It faulted too often, or cannot be restarted: it stays stopped.
    GaveUp,
}
