//! What a PD may invoke: one table of 512 slots per PD, as Microkit lays it out.

use crate::Id;

/// Slots of a PD's capability table (Microkit: `PD_CAP_SIZE`).
pub const SLOTS: usize = 512;

/// One slot of a PD's capability table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Capability {
    /// Empty.
    #[default]
    Null,
    /// Send to (and, with the right to, receive from) an endpoint.
    Endpoint {
        /// Its owner.
        target: Id,
        /// Bits 62 and 63 of the badge.
        kind: u8,
        /// Low bits of the badge.
        id: u8,
    },
    /// Signal (or, for the owner, wait on) a notification.
    Notification {
        /// Its owner.
        target: Id,
        /// Bit to signal; 64 and above signal nothing.
        bit: u8,
    },
    /// A reply object.
    Reply(Id),
    /// A thread to stop, resume and restart.
    Thread(Id),
    /// An interrupt line, by its place in the table of lines.
    Irq(u8),
    /// A range of x86 I/O ports, by its place in the table of ranges.
    Ports(u8),
    /// Microkit's monitor: takes a passive PD's request to give its scheduling context away.
    Monitor,
    /// Exists, and answers every invocation with an illegal operation.
    Inert,
}

impl Capability {
    /// The badge that a message or signal sent through this capability carries.
    #[inline(always)]
    pub fn badge(self) -> u64 {
        match self {
            Self::Endpoint { kind, id, .. } => u64::from(kind) << 62 | u64::from(id),
            Self::Notification { bit, .. } if bit < 64 => 1 << bit,
            _ => 0,
        }
    }
}

/// Why a capability address led nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupFailure {
    /// The slot holds nothing that fits.
    Missing,
    /// The address is 512 or more.
    GuardMismatch,
}

impl LookupFailure {
    /// seL4's type number and the words that follow it in a fault message.
    pub(crate) fn words(self) -> (u64, &'static [u64]) {
        match self {
            Self::Missing => (2, &[0]),
            // Bits left, guard found, guard bits: Microkit's 6-bit root and 9-bit table leave a guard of 49 bits.
            Self::GuardMismatch => (4, &[58, 0, 49]),
        }
    }
}

/// Finds the capability at an address: below 512 in the table, with any of the top six bits set in an empty root slot.
///
/// # Errors
/// [`LookupFailure::GuardMismatch`] for every other address.
#[inline(always)]
pub(crate) fn lookup(table: &[Capability; SLOTS], address: u64) -> Result<Capability, LookupFailure> {
    if address < SLOTS as u64 {
        Ok(table[address as usize & (SLOTS - 1)])
    } else if address >> 58 != 0 {
        Ok(Capability::Null)
    } else {
        Err(LookupFailure::GuardMismatch)
    }
}
