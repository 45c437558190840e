// SPDX-License-Identifier: MIT
//! The append-only store: a checksummed log of records on a block device.
//!
//! One design rule: a commit is acknowledged after its frame is written *and* flushed, and nothing is believed
//! after a restart unless its checksum, its place and its predecessor agree.
//!
//! # Layout (version 1, little-endian, sectors of 512 bytes)
//!
//! | sectors | what |
//! |---|---|
//! | 0 | superblock of even generations |
//! | 8 | superblock of odd generations (4 KiB away: no physical block holds both) |
//! | 16 … | the log, a ring of whole blocks |
//!
//! A *position* counts sectors of the log since it was made; it only grows, and `position % log_sectors` says where it
//! lies. The log is a chain of *frames*, each one atomic batch: [`layout::FrameHeader`] (96 bytes), then records, then
//! zeros to the next block. A record is a [`layout::RecordHeader`] (32 bytes) and its body, padded to 16 bytes.
//! A frame names its position, sequence number, mount epoch, its predecessor's checksum, the log's tail, and the last
//! sequence that was flushed before it was written.
//!
//! # Rules
//!
//! - *Commit*: frame, flush, acknowledge. A failed write or flush poisons the store until it is opened again.
//! - *Open*: newest valid superblock, replay from its tail, flush, write a superblock with the next epoch, flush.
//! - *Compaction* copies live records from the tail to the head, flushes, moves the tail in the superblock, flushes;
//!   only then may that space be written again.
//! - *Lies*: a missing frame that a later frame or a superblock calls flushed is [`Damage`], reported and counted.
//!   A disk that forgets a pure suffix of its writes leaves no trace of it; only a witness outside the disk
//!   ([`Options::witness`]) finds that out.
//!
//! Limits: checksums find accidents, not forgers; one writer; a key is a kind and a 64-bit id.

mod batch;
mod compaction;
mod device;
mod engine;
mod error;
mod frame;
pub mod layout;
mod recovery;
mod ring;
mod salvage;
mod superblock;

pub use batch::Batch;
pub use device::{BlockDevice, DeviceError, SECTOR};
pub use engine::{Location, Options, Receipt, Store, Usage};
pub use error::StoreError;
pub use layout::Key;
pub use recovery::{Damage, Evidence, Recovery};
