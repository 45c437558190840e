//! The loader's side of storage: reads under way, one slot of the data region each.
//!
//! A slot is used again only after storage has ended its read, even where nobody waits for it any more.

use crate::LoadError;
use crate::cache::Cache;
use drivers_fat::{SECTOR, Stop};
use ipc_link::{Link, LinkError, LinkState};
use ipc_protocol::storage::{MAX_IN_FLIGHT, Outcome, Partition, ToClient, ToStorage};
use memory_region::Readable;

/// Sectors of the partition to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    sector: u64,
    count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Free,
    /// To be asked for, again where storage restarted.
    Unsent(Request),
    Sent {
        request: Request,
        id: u32,
    },
    /// Sent, but nobody waits for it any more.
    Abandoned {
        id: u32,
    },
    Ended {
        request: Request,
        outcome: Outcome,
    },
}

/// A read, until [`Disk::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read(usize);

/// What storage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub device: bool,
    /// Sectors of the partition with files.
    pub files: u64,
}

/// A step that may have to wait for storage.
pub(crate) enum Poll<T> {
    Ready(T),
    Pending,
}

pub(crate) struct Disk {
    link: Link<ToStorage, ToClient>,
    data: Readable<'static>,
    slots: [Slot; MAX_IN_FLIGHT],
    cache: Cache,
    asked: bool,
    description: Option<Description>,
    /// Another disk under a job's feet: its reads would give another file's bytes.
    changed: bool,
    /// Storage sent what it must not; until it restarts, nothing is believed.
    broken: bool,
    lives: u64,
    next_id: u32,
}

impl Disk {
    pub fn new(link: Link<ToStorage, ToClient>, data: Readable<'static>) -> Self {
        Self {
            link,
            data,
            slots: [Slot::Free; MAX_IN_FLIGHT],
            cache: Cache::new(),
            asked: false,
            description: None,
            changed: false,
            broken: false,
            lives: 0,
            next_id: 0,
        }
    }

    /// How often storage has started.
    pub fn lives(&self) -> u64 {
        self.lives
    }

    /// Reads under way.
    pub fn reads(&self) -> usize {
        self.slots.iter().filter(|slot| **slot != Slot::Free).count()
    }

    /// Largest read in sectors: an eighth of the data region.
    pub fn slot_sectors(&self) -> u32 {
        (self.data.words() * 8 / MAX_IN_FLIGHT / SECTOR) as u32
    }

    /// What storage has, once it has said so.
    pub fn describe(&self) -> Result<Poll<Description>, LoadError> {
        self.check()?;
        Ok(self.description.map_or(Poll::Pending, Poll::Ready))
    }

    fn check(&self) -> Result<(), LoadError> {
        match (self.broken, self.changed) {
            (true, _) => Err(LoadError::Storage),
            (_, true) => Err(LoadError::DiskChanged),
            _ => Ok(()),
        }
    }

    /// Begins a job: nothing is known of the disk.
    pub fn begin(&mut self) {
        self.abandon();
        self.description = None;
        self.asked = false;
        self.changed = false;
    }

    /// Forgets all reads and what is cached.
    pub fn abandon(&mut self) {
        for slot in &mut self.slots {
            *slot = match *slot {
                Slot::Sent { id, .. } | Slot::Abandoned { id } => Slot::Abandoned { id },
                _ => Slot::Free,
            };
        }
        self.cache.clear();
    }

    /// Begins a read; `None` when as many as possible are under way.
    pub fn read(&mut self, sector: u64, count: u32) -> Option<Read> {
        let index = self.slots.iter().position(|slot| *slot == Slot::Free)?;
        self.slots[index] = Slot::Unsent(Request { sector, count });
        self.send();
        Some(Read(index))
    }

    /// Whether a read is done.
    pub fn is_done(&self, read: Read) -> Result<bool, LoadError> {
        self.check()?;
        match self.slots[read.0] {
            Slot::Ended { outcome: Outcome::Ok, .. } => Ok(true),
            Slot::Ended { outcome: Outcome::Refused, .. } => Err(LoadError::DiskChanged),
            Slot::Ended { request, outcome } => Err(LoadError::Read { sector: request.sector, outcome }),
            _ => Ok(false),
        }
    }

    /// Copies the first bytes of a read that is done.
    pub fn copy(&self, read: Read, out: &mut [u8]) {
        self.data.copy_out(self.offset(read.0), out);
    }

    /// Frees the slot of a read that is done.
    pub fn release(&mut self, read: Read) {
        self.slots[read.0] = Slot::Free;
    }

    fn offset(&self, index: usize) -> usize {
        index * self.slot_sectors() as usize * SECTOR
    }

    /// Carries out a step of the file system, fetching the sectors that it lacks.
    pub fn step<T>(
        &mut self,
        operation: impl FnMut(&mut Cache) -> Result<T, Stop>,
    ) -> Result<Poll<T>, StepError> {
        let mut operation = operation;
        loop {
            match operation(&mut self.cache) {
                Ok(value) => return Ok(Poll::Ready(value)),
                Err(Stop::Bad(error)) => return Err(StepError::Volume(error)),
                Err(Stop::Wait(sector)) => {
                    if !self.fetch(sector).map_err(StepError::Disk)? {
                        return Ok(Poll::Pending);
                    }
                }
            }
        }
    }

    /// Whether the sector is in the cache now.
    fn fetch(&mut self, sector: u64) -> Result<bool, LoadError> {
        self.check()?;
        let Some(read) = self.cache.fetching() else {
            let (first, count) = self.cache.line_of(sector, self.description.map_or(0, |d| d.files));
            if count == 0 {
                return Err(LoadError::DiskChanged);
            }
            if let Some(read) = self.read(first, count.min(self.slot_sectors())) {
                self.cache.begin(first, read);
            }
            return Ok(false);
        };
        if !self.is_done(read)? {
            return Ok(false);
        }
        self.data.copy_out(self.offset(read.0), self.cache.arrived());
        self.release(read);
        Ok(true)
    }

    /// Hears what storage says and says what is due; whether something was heard.
    pub fn pump(&mut self) -> bool {
        match self.link.poll() {
            LinkState::Down => return false,
            LinkState::Up => {}
            LinkState::PeerStarted => self.restarted(),
        }
        let heard = self.hear();
        self.send();
        heard
    }

    /// All that was under way in storage is lost: to be asked for again.
    fn restarted(&mut self) {
        self.lives += 1;
        self.broken = false;
        self.asked = false;
        for slot in &mut self.slots {
            *slot = match *slot {
                Slot::Sent { request, .. } => Slot::Unsent(request),
                Slot::Abandoned { .. } => Slot::Free,
                other => other,
            };
        }
    }

    fn hear(&mut self) -> bool {
        let mut heard = false;
        while !self.broken {
            match self.link.receive() {
                Ok(Some(message)) => self.take(message),
                Ok(None) => break,
                Err(_) => self.broken = true,
            }
            heard = true;
        }
        heard
    }

    fn take(&mut self, message: ToClient) {
        match message {
            ToClient::Description { device, files, .. } => {
                let now = Description { device, files };
                self.changed |= self.description.is_some_and(|before| before != now);
                self.description = Some(now);
            }
            ToClient::Done { id, outcome } => self.ended(id, outcome),
            // Answers to what the loader never asks.
            ToClient::Entry { .. } | ToClient::Bytes { .. } => self.broken = true,
        }
    }

    fn ended(&mut self, ended: u32, outcome: Outcome) {
        for slot in &mut self.slots {
            match *slot {
                Slot::Sent { request, id } if id == ended => *slot = Slot::Ended { request, outcome },
                Slot::Abandoned { id } if id == ended => *slot = Slot::Free,
                _ => {}
            }
        }
    }

    fn send(&mut self) {
        if !self.asked && self.send_one(&ToStorage::Describe) {
            self.asked = true;
        }
        for index in 0..self.slots.len() {
            let Slot::Unsent(request) = self.slots[index] else { continue };
            let (id, offset) = (self.next_id, self.offset(index) as u32);
            let Request { sector, count } = request;
            let message = ToStorage::Read { id, partition: Partition::Files, sector, count, offset };
            if !self.asked || !self.send_one(&message) {
                return;
            }
            self.next_id = self.next_id.wrapping_add(1);
            self.slots[index] = Slot::Sent { request, id };
        }
    }

    fn send_one(&mut self, message: &ToStorage) -> bool {
        match self.link.send(message) {
            Ok(()) => true,
            Err(LinkError::Full) => false,
            Err(_) => {
                self.broken = true;
                false
            }
        }
    }
}

/// Why a step of the file system failed.
pub(crate) enum StepError {
    Disk(LoadError),
    Volume(drivers_fat::FatError),
}
