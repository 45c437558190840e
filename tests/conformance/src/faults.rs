//! The faults that `faulty` makes, one after the other, and the message each must be. `judge` writes the number of the
//! next into the region they share and restarts `faulty`.

/// One fault.
pub struct Expected {
    /// What is tested.
    pub name: &'static str,
    /// Label and length of the message.
    pub label: u64,
    /// Words of the message.
    pub length: usize,
    /// What the words must be: (word, mask, value).
    pub words: &'static [(usize, u64, u64)],
}

/// Address that nothing is mapped at.
pub const NOWHERE: u64 = 0x1234_5678;
/// First page of every test program: constants.
pub const CONSTANTS: u64 = 0x20_0000;
/// A system call number that a release kernel does not have.
pub const DEBUG_PUT_CHAR: i64 = -12;

/// Every bit counts.
pub(crate) const ALL: u64 = u64::MAX;

pub use crate::arch::{FAULTS, PRIVILEGED};
