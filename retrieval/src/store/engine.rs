// SPDX-License-Identifier: MIT
//! The store: commits, reads, and the map from keys to places in the log.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

use super::batch::Batch;
use super::device::{BlockDevice, SECTOR};
use super::error::StoreError;
use super::frame::{Records, read_frame, read_record};
use super::layout::{FRAME_HEADER, FRAME_MAGIC, FrameHeader, Key, Mark, Superblock, record_bytes};
use super::recovery::Recovery;
use super::ring::Ring;
use super::superblock::MIN_FRAMES;

/// A superblock that says how far the log was acknowledged goes along with every so many commits.
const HEARTBEAT: u64 = 16;

/// Choices made when a store is made or opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Records held at most: bounds the memory of the map (about 64 bytes each).
    pub max_records: usize,
    /// Format only: frames begin at multiples of this; 1, or 8 where the disk's physical blocks are 4 KiB.
    pub block_sectors: u32,
    /// Format only: the largest batch, in sectors; also the size of the store's one buffer.
    pub max_frame_sectors: u32,
    /// Format only: a random number that names this log.
    pub store_id: u64,
    /// Open only: the last sequence that the caller knows was acknowledged, from outside this disk.
    pub witness: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_records: 1 << 20,
            block_sectors: 1,
            max_frame_sectors: 256,
            store_id: 0x5EED,
            witness: None,
        }
    }
}

/// Where a record's current version lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Bytes from the start of the log to the record header.
    pub(super) byte: u64,
    /// Bytes of the body.
    pub(super) bytes: u32,
}

/// Says that a batch is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Sequence number of the batch's frame; keep it elsewhere as [`Options::witness`] to catch a disk that lies.
    pub sequence: u64,
}

/// How full the store is, in sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Size of the log.
    pub log: u64,
    /// Between tail and head: live records and garbage.
    pub used: u64,
    /// What the live records would take alone.
    pub live: u64,
    /// Number of live records.
    pub records: usize,
}

/// The one writer of a log.
pub struct Store<D> {
    pub(super) ring: Ring<D>,
    pub(super) superblock: Superblock,
    pub(super) map: BTreeMap<Key, Location>,
    pub(super) live_bytes: u64,
    pub(super) head: u64,
    pub(super) next_sequence: u64,
    pub(super) previous_crc: u64,
    pub(super) poisoned: bool,
    pub(super) max_records: usize,
    /// Holds one frame of the largest size.
    pub(super) buffer: Vec<u8>,
}

impl<D: BlockDevice> Store<D> {
    /// Makes an empty store, forgetting whatever the partition held.
    ///
    /// # Errors
    /// [`StoreError::TooSmall`], [`StoreError::Device`], [`StoreError::OutOfMemory`].
    pub fn format(mut device: D, options: &Options) -> Result<Self, StoreError> {
        let (block, frame) = (options.block_sectors, options.max_frame_sectors);
        let mut superblock = Superblock::create(device.sectors(), block, frame, options.store_id)?;
        superblock.epoch = U64::new(1);
        for _ in 0..2 {
            superblock.write_next(&mut device)?;
            device.flush()?;
        }
        Self::empty(device, superblock, options)
    }

    pub(super) fn empty(device: D, superblock: Superblock, options: &Options) -> Result<Self, StoreError> {
        let size = superblock.max_frame_sectors.get() as usize * SECTOR;
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(size).map_err(|_| StoreError::OutOfMemory)?;
        buffer.resize(size, 0);
        Ok(Self {
            ring: Ring { device, log_sectors: superblock.log_sectors.get() },
            map: BTreeMap::new(),
            live_bytes: 0,
            head: superblock.tail.position.get(),
            next_sequence: superblock.tail.sequence.get(),
            previous_crc: 0,
            poisoned: false,
            max_records: options.max_records,
            buffer,
            superblock,
        })
    }

    /// Opens a store and replays its log; what was lost or torn is in the [`Recovery`].
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::UnsupportedVersion`], [`StoreError::WrongGeometry`],
    /// [`StoreError::TooManyRecords`], [`StoreError::Device`], [`StoreError::OutOfMemory`].
    pub fn open(mut device: D, options: &Options) -> Result<(Self, Recovery), StoreError> {
        let (superblock, copies) = Superblock::load(&mut device)?;
        let mut this = Self::empty(device, superblock, options)?;
        let mut recovery = this.replay(options.witness)?;
        recovery.superblocks = copies;
        this.begin_epoch(&mut recovery)?;
        Ok((this, recovery))
    }

    /// Makes what was read durable (it may have come from the disk's cache), then starts a new epoch.
    pub(super) fn begin_epoch(&mut self, recovery: &mut Recovery) -> Result<(), StoreError> {
        self.ring.device.flush()?;
        let lies = u32::try_from(recovery.damage.len()).unwrap_or(u32::MAX);
        self.superblock.damage = U32::new(self.superblock.damage.get().saturating_add(lies));
        self.superblock.epoch = U64::new(self.superblock.epoch.get() + 1);
        recovery.lifetime_damage = self.superblock.damage.get();
        self.write_superblock()?;
        Ok(self.ring.device.flush()?)
    }

    /// Notes in the superblock how far the log is acknowledged, and writes it without a flush.
    pub(super) fn write_superblock(&mut self) -> Result<(), StoreError> {
        self.superblock.acknowledged = Mark::new(self.head, self.next_sequence - 1);
        self.superblock.write_next(&mut self.ring.device)
    }

    /// Writes a batch and returns when it is durable.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::BatchTooLarge`], [`StoreError::TooManyRecords`]: nothing was written.
    /// [`StoreError::Device`]: the batch may or may not survive; the store is poisoned until opened again.
    pub fn commit(&mut self, batch: &Batch) -> Result<Receipt, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        if batch.is_empty() {
            return Ok(Receipt { sequence: self.next_sequence - 1 });
        }
        self.check_limits(batch)?;
        self.make_room(batch)?;
        self.buffer[FRAME_HEADER..FRAME_HEADER + batch.payload.len()].copy_from_slice(&batch.payload);
        let position = self.append_frame(batch.payload.len(), batch.records)?;
        self.apply(position, &batch.payload);
        Ok(Receipt { sequence: self.next_sequence - 1 })
    }

    fn check_limits(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.bytes() > self.batch_limit() {
            return Err(StoreError::BatchTooLarge { bytes: batch.bytes(), limit: self.batch_limit() });
        }
        if batch.puts > 0 && self.map.len() + batch.puts as usize > self.max_records {
            return Err(StoreError::TooManyRecords { limit: self.max_records });
        }
        Ok(())
    }

    /// Writes the frame whose payload lies in the buffer, flushes, and only then moves the head.
    pub(super) fn append_frame(&mut self, payload: usize, records: u32) -> Result<u64, StoreError> {
        let header = self.finish_frame(payload, records);
        let position = self.head;
        let sectors = header.sectors(&self.superblock);
        self.poisoned = true;
        self.ring.write(position, &self.buffer[..sectors as usize * SECTOR])?;
        if self.next_sequence.is_multiple_of(HEARTBEAT) {
            self.write_superblock()?;
        }
        self.ring.device.flush()?;
        self.poisoned = false;
        self.head += sectors;
        self.next_sequence += 1;
        self.previous_crc = header.crc.get();
        Ok(position)
    }

    /// Puts the header in front of the payload and zeros behind it.
    fn finish_frame(&mut self, payload: usize, records: u32) -> FrameHeader {
        let mut header = FrameHeader {
            magic: FRAME_MAGIC,
            payload_bytes: U32::new(payload as u32),
            records: U32::new(records),
            reserved: U32::new(0),
            store_id: self.superblock.store_id,
            position: U64::new(self.head),
            sequence: U64::new(self.next_sequence),
            epoch: self.superblock.epoch,
            tail: self.superblock.tail,
            flushed: U64::new(self.next_sequence - 1),
            previous: U64::new(self.previous_crc),
            reserved_2: U64::new(0),
            crc: U64::new(0),
        };
        let end = FRAME_HEADER + payload;
        header.crc = U64::new(header.expected_crc(&self.buffer[FRAME_HEADER..end]));
        self.buffer[..FRAME_HEADER].copy_from_slice(header.as_bytes());
        let frame_end = header.sectors(&self.superblock) as usize * SECTOR;
        self.buffer[end..frame_end].fill(0);
        header
    }

    /// Enters a durable payload at `position` into the map.
    pub(super) fn apply(&mut self, position: u64, payload: &[u8]) {
        let start = position * SECTOR as u64 + FRAME_HEADER as u64;
        for record in Records::new(payload) {
            let place = record
                .body
                .map(|body| Location { byte: start + record.offset as u64, bytes: body.len() as u32 });
            let old = match place {
                Some(place) => self.map.insert(record.key, place),
                None => self.map.remove(&record.key),
            };
            self.live_bytes += place.map_or(0, |place| record_bytes(place.bytes as usize) as u64);
            self.live_bytes -= old.map_or(0, |old| record_bytes(old.bytes as usize) as u64);
        }
    }

    /// Reads a record's body into `out`; `false` if there is no such record.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the disk changed it, [`StoreError::Device`], [`StoreError::OutOfMemory`].
    pub fn read(&mut self, key: Key, out: &mut Vec<u8>) -> Result<bool, StoreError> {
        let Some(place) = self.map.get(&key).copied() else { return Ok(false) };
        read_record(&mut self.ring, place.byte, key, place.bytes as usize, out)?;
        Ok(true)
    }

    /// True if there is such a record.
    pub fn contains(&self, key: Key) -> bool {
        self.map.contains_key(&key)
    }

    /// The keys of a kind, in order of their ids.
    pub fn keys(&self, kind: u16) -> impl DoubleEndedIterator<Item = Key> + '_ {
        let (first, last) = (Key { kind, id: 0 }, Key { kind, id: u64::MAX });
        self.map.range(first..=last).map(|(key, _)| *key)
    }

    /// Calls `visitor` for each live record, in the order of the log: one pass of large reads.
    ///
    /// # Errors
    /// [`StoreError::Device`]; frames that the disk has changed since are passed over (`read` names them).
    pub fn visit(&mut self, mut visitor: impl FnMut(Key, &[u8])) -> Result<(), StoreError> {
        let mut position = self.tail();
        while position < self.head {
            let Some(header) = read_frame(&mut self.ring, &self.superblock, position, &mut self.buffer)?
            else {
                position += u64::from(self.superblock.block_sectors.get());
                continue;
            };
            let start = position * SECTOR as u64 + FRAME_HEADER as u64;
            let payload = &self.buffer[FRAME_HEADER..FRAME_HEADER + header.payload_bytes.get() as usize];
            for record in Records::new(payload) {
                let here =
                    self.map.get(&record.key).is_some_and(|place| place.byte == start + record.offset as u64);
                if let (true, Some(body)) = (here, record.body) {
                    visitor(record.key, body);
                }
            }
            position += header.sectors(&self.superblock);
        }
        Ok(())
    }

    /// Notes on the disk how far the log is acknowledged, so that even the loss of its last frames is seen.
    ///
    /// # Errors
    /// [`StoreError::Device`], [`StoreError::Poisoned`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.poisoned = true;
        self.write_superblock()?;
        self.ring.device.flush()?;
        self.poisoned = false;
        Ok(())
    }

    /// Gives the device back, without writing anything.
    pub fn into_device(self) -> D {
        self.ring.device
    }

    /// The largest [`Batch::bytes`] that a commit takes.
    pub fn batch_limit(&self) -> usize {
        self.buffer.len() - FRAME_HEADER
    }

    /// The sequence of the last durable frame.
    pub fn sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    /// How full the store is.
    pub fn usage(&self) -> Usage {
        let live = self.live_bytes.div_ceil(SECTOR as u64);
        Usage { log: self.ring.log_sectors, used: self.head - self.tail(), live, records: self.map.len() }
    }

    pub(super) fn tail(&self) -> u64 {
        self.superblock.tail.position.get()
    }

    /// Sectors that live records may fill, so that compaction always gains something.
    pub(super) fn usable(&self) -> u64 {
        let frame = u64::from(self.superblock.max_frame_sectors.get());
        (self.ring.log_sectors - (MIN_FRAMES / 2) * frame).min(self.ring.log_sectors / 8 * 7)
    }
}
