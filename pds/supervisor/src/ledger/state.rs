//! What the account goes through, and how far it is.

use super::record::{Copy, Record};
use crate::post::Regions;
use memory_region::{Readable, Writable};

/// The regions that the account goes through.
pub struct Means {
    /// The link to storage.
    pub link: Option<Regions>,
    /// What storage has read.
    pub read: Option<Readable<'static>>,
    /// What storage is to write.
    pub write: Option<Writable<'static>>,
}

/// What is known of the account on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Storage was not asked yet, or restarted.
    Unasked,
    /// It was asked which partitions there are.
    Asked,
    /// These copies are read.
    Reading([Option<Copy>; 2]),
    /// Read; this record is the newest on the disk.
    Known(Record),
    /// There is no place for it.
    Absent,
    /// The device could not read it.
    Failed,
}

/// What is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// Nothing.
    No,
    /// This record.
    Record(Record),
    /// It is written, and to be flushed.
    Flush(Record),
}

/// What a person should be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Both copies are damaged.
    Damaged,
    /// The newest versions could not be written.
    NotWritten,
    /// Storage broke the protocol.
    Misbehaved,
}
