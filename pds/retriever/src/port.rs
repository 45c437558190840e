// SPDX-License-Identifier: MIT
//! The retriever's side of storage: one request at a time, and waiting for its end.
//!
//! One design rule: a request is made again when storage restarted, where that changes nothing (sectors), and fails
//! where storage has forgotten what it was about (an open file). Nothing waits for ever.

use crate::{SUPERVISOR, TIMER};
use alloc::rc::Rc;
use core::cell::RefCell;
use ipc_link::{Link, LinkError, LinkState, Patience};
use ipc_pd::health;
use ipc_protocol::storage::{Outcome, Partition, SECTOR, ToClient, ToStorage};
use memory_region::{Readable, Writable};
use retrieval::store::{BlockDevice, DeviceError};

/// Seconds that storage may take for one request. It resets a silent device after five.
const PATIENCE: u64 = 30;

/// The link to storage.
pub type StorageLink = Link<ToStorage, ToClient>;

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortError {
    /// Storage does not answer, or broke the protocol.
    Gone,
    /// Storage restarted, and the request made no sense to its new life.
    Forgotten,
}

/// Storage, as the retriever uses it.
pub struct Port {
    link: StorageLink,
    reads: Readable<'static>,
    writes: Writable<'static>,
    patience: Patience,
    next_id: u32,
    lives: u64,
    /// It sent what it must not: nothing is believed until it restarts.
    broken: bool,
}

/// What storage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub device: bool,
    /// Sectors of the data partition.
    pub data: u64,
}

impl Port {
    /// Over the link and the two regions for data: what storage reads for us, and what it is to write.
    pub fn new(link: StorageLink, reads: Readable<'static>, writes: Writable<'static>) -> Rc<RefCell<Self>> {
        let patience = Patience::new(TIMER);
        Rc::new(RefCell::new(Self { link, reads, writes, patience, next_id: 0, lives: 0, broken: false }))
    }

    /// How often storage has started.
    pub fn lives(&self) -> u64 {
        self.lives
    }

    /// Follows the link; whether storage has (re)started.
    pub fn follow(&mut self) -> bool {
        let started = self.link.poll() == LinkState::PeerStarted;
        if started {
            self.lives += 1;
            self.broken = false;
        }
        started
    }

    /// Sectors that one read can bring.
    pub(crate) fn read_sectors(&self) -> u32 {
        (self.reads.words() * 8 / SECTOR) as u32
    }

    /// Copies what was read.
    pub(crate) fn copy_out(&self, out: &mut [u8]) {
        self.reads.copy_out(0, out);
    }

    pub(crate) fn describe(&mut self) -> Result<Description, PortError> {
        let is_mine = |answer: &ToClient| matches!(answer, ToClient::Description { .. });
        match self.exchange(&ToStorage::Describe, true, is_mine)? {
            ToClient::Description { device, data, .. } => Ok(Description { device, data }),
            _ => Err(PortError::Gone),
        }
    }

    /// Makes a request and waits for its answer; `again`: also of storage's next life.
    pub(crate) fn request(
        &mut self,
        again: bool,
        message: impl FnOnce(u32) -> ToStorage,
    ) -> Result<ToClient, PortError> {
        self.next_id = self.next_id.wrapping_add(1);
        let mine = self.next_id;
        self.exchange(&message(mine), again, |answer| id_of(answer) == Some(mine))
    }

    fn exchange(
        &mut self,
        message: &ToStorage,
        again: bool,
        is_mine: impl Fn(&ToClient) -> bool,
    ) -> Result<ToClient, PortError> {
        self.patience.start(PATIENCE);
        let mut sent = false;
        loop {
            let restarted = self.follow();
            if restarted && sent && !again {
                return Err(PortError::Forgotten);
            }
            sent &= !restarted;
            if !sent {
                sent = self.send(message)?;
            }
            if let Some(answer) = self.hear(&is_mine)? {
                self.patience.stop();
                return Ok(answer);
            }
            let channels = ipc_pd::wait();
            health::beat();
            if self.patience.is_over(channels.contains(TIMER) || channels.contains(SUPERVISOR)) {
                return Err(PortError::Gone);
            }
        }
    }

    fn send(&mut self, message: &ToStorage) -> Result<bool, PortError> {
        match self.link.send(message) {
            Ok(()) => Ok(true),
            Err(LinkError::Full) => Ok(false),
            Err(_) => Err(self.distrust()),
        }
    }

    /// The answer, if it is there. Others are to requests that nobody waits for any more.
    fn hear(&mut self, is_mine: impl Fn(&ToClient) -> bool) -> Result<Option<ToClient>, PortError> {
        if self.broken {
            return Err(PortError::Gone);
        }
        loop {
            match self.link.receive() {
                Ok(Some(answer)) if is_mine(&answer) => return Ok(Some(answer)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(_) => return Err(self.distrust()),
            }
        }
    }

    fn distrust(&mut self) -> PortError {
        self.broken = true;
        PortError::Gone
    }
}

fn id_of(answer: &ToClient) -> Option<u32> {
    match answer {
        ToClient::Description { .. } => None,
        ToClient::Done { id, .. } | ToClient::Entry { id, .. } | ToClient::Bytes { id, .. } => Some(*id),
    }
}

/// The data partition.
pub struct DataPartition {
    port: Rc<RefCell<Port>>,
    sectors: u64,
}

impl DataPartition {
    pub(crate) fn new(port: Rc<RefCell<Port>>, sectors: u64) -> Self {
        Self { port, sectors }
    }

    /// Makes a request that has no other answer than its outcome.
    fn carry_out(&mut self, message: impl FnOnce(u32) -> ToStorage) -> Result<(), DeviceError> {
        match self.port.borrow_mut().request(true, message) {
            Ok(ToClient::Done { outcome: Outcome::Ok, .. }) => Ok(()),
            Ok(ToClient::Done { outcome: Outcome::Refused, .. }) => Err(DeviceError::OutOfRange),
            Ok(ToClient::Done { outcome: Outcome::NoDevice, .. }) | Err(_) => Err(DeviceError::Gone),
            Ok(_) => Err(DeviceError::Io),
        }
    }
}

impl BlockDevice for DataPartition {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let most = self.port.borrow().read_sectors() as usize * SECTOR;
        let mut sector = sector;
        for part in buffer.chunks_mut(most.max(SECTOR)) {
            let count = part.len().div_ceil(SECTOR) as u32;
            let partition = Partition::Data;
            self.carry_out(|id| ToStorage::Read { id, partition, sector, count, offset: 0 })?;
            self.port.borrow().copy_out(part);
            sector += u64::from(count);
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), DeviceError> {
        let most = self.port.borrow().writes.words() * 8 / SECTOR * SECTOR;
        let mut sector = sector;
        for part in data.chunks(most.max(SECTOR)) {
            let count = (part.len() / SECTOR) as u32;
            self.port.borrow().writes.copy_in(0, part);
            let partition = Partition::Data;
            self.carry_out(|id| ToStorage::Write { id, partition, sector, count, offset: 0 })?;
            sector += u64::from(count);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        self.carry_out(|id| ToStorage::Flush { id })
    }
}
