//! Reading FAT12, FAT16 and FAT32 volumes with long names (Microsoft's specification of December 2000 and 2005).
//!
//! One design rule: nothing on the volume is believed, and nothing here waits. Every operation asks a [`Sectors`] for
//! the sectors it needs; where one is not at hand yet it stops with [`Stop::Wait`], its state unchanged, and is called
//! again later. Every walk is bounded: a directory by its largest size, a file's chain by the file's size, and it
//! must end exactly there, which a chain with a loop cannot.
//!
//! Limits: sectors of 512 bytes; reading only; files below 4 GiB, as FAT has it.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod chain;
mod directory;
mod entry;
mod error;
#[cfg(test)]
mod tests;
mod volume;

pub use chain::{Extent, FileMap};
pub use directory::Directory;
pub use entry::{Entry, NAME_BYTES, Name};
pub use error::FatError;
pub use volume::{Kind, Volume};

/// Bytes per sector.
pub const SECTOR: usize = 512;

/// Where sectors come from.
pub trait Sectors {
    /// The sector's bytes; `None` where they must be fetched first, which the implementation then knows.
    fn sector(&mut self, sector: u64) -> Option<&[u8; SECTOR]>;
}

/// Why an operation stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// This sector is needed: call again when it is at hand.
    Wait(u64),
    /// The volume is not what it should be.
    Bad(FatError),
}

impl From<FatError> for Stop {
    fn from(error: FatError) -> Self {
        Self::Bad(error)
    }
}

fn fetch<S: Sectors>(source: &mut S, sector: u64) -> Result<&[u8; SECTOR], Stop> {
    source.sector(sector).ok_or(Stop::Wait(sector))
}
