//! A disk that takes its time and completes requests in any order.

use crate::random::Random;
use crate::world::Device;
use drivers_block::{
    AREAS, Area, BlockDevice, DeviceError, Operation, PRIVATE_BYTES, SECTOR, SubmitError, Transfer,
};
use memory_region::{Readable, Writable};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most requests under way.
const DEPTH: usize = 20;

struct State {
    random: Random,
    /// Requests under way, and when they end.
    pending: Vec<(u64, u16, Operation)>,
    now: u64,
    unseen: bool,
    image: Vec<u8>,
    /// Writes that are lost when the power is cut, with what was there before.
    unflushed: Vec<(usize, Vec<u8>)>,
}

/// The medium, shared by all lives of storage.
pub struct Disk {
    sectors: u64,
    state: Mutex<State>,
}

impl Disk {
    /// A disk with these bytes.
    pub fn new(image: &[u8], seed: u64) -> Self {
        let sectors = (image.len() / SECTOR) as u64;
        let (random, image) = (Random::new(seed), image.to_vec());
        let (pending, unflushed) = (Vec::new(), Vec::new());
        let state = State { random, pending, now: 0, unseen: false, image, unflushed };
        Self { sectors, state: Mutex::new(state) }
    }
    /// The bytes after a power cut: of the writes since the last flush any may be lost, sector by sector.
    pub fn cut(&self) -> Vec<u8> {
        let mut state = self.lock();
        for (at, before) in std::mem::take(&mut state.unflushed).into_iter().rev() {
            if state.random.one_in(2) {
                state.image[at..at + before.len()].copy_from_slice(&before);
            }
        }
        state.image.clone()
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device for Disk {
    fn line(&self, now: u64) -> bool {
        let mut state = self.lock();
        state.now = now;
        state.unseen |= state.pending.iter().any(|(end, ..)| *end <= now);
        state.unseen
    }
    fn next(&self) -> Option<u64> {
        self.lock().pending.iter().map(|(end, ..)| *end).min()
    }
}

/// A region that the device can reach.
pub enum Place {
    /// The driver's own buffer.
    Private,
    /// What is read goes there.
    Into(Writable<'static>),
    /// What is written comes from there.
    From(Readable<'static>),
}

impl Place {
    fn bytes(&self) -> usize {
        match self {
            Self::Private => PRIVATE_BYTES,
            Self::Into(region) => region.words() * 8,
            Self::From(region) => region.words() * 8,
        }
    }
}

/// The driver that storage owns, from one start to its end.
pub struct Driver {
    disk: Arc<Disk>,
    areas: [Place; AREAS],
    private: Vec<u8>,
}

impl Driver {
    /// Starts the device anew; the regions in the order of their areas, from 1 on.
    pub fn new(disk: Arc<Disk>, regions: [Place; AREAS - 1]) -> Self {
        disk.lock().pending.clear();
        let [a, b, c, d, e] = regions;
        Self { disk, areas: [Place::Private, a, b, c, d, e], private: vec![0; PRIVATE_BYTES] }
    }

    fn place(&self, area: Area) -> Option<&Place> {
        self.areas.get(usize::from(area.0))
    }

    fn fits(&self, transfer: &Transfer) -> bool {
        let end = transfer.sector.checked_add(u64::from(transfer.count));
        let room = self.place(transfer.area).map_or(0, Place::bytes);
        let last = (transfer.offset as usize).checked_add(transfer.bytes());
        transfer.count > 0
            && end.is_some_and(|end| end <= self.sectors())
            && last.is_some_and(|last| last <= room)
    }

    fn read(&mut self, transfer: &Transfer) {
        let from = self.disk.lock().image[transfer.sector as usize * SECTOR..][..transfer.bytes()].to_vec();
        let from = from.as_slice();
        let offset = transfer.offset as usize;
        match self.areas.get(usize::from(transfer.area.0)) {
            Some(Place::Private) => self.private[offset..][..from.len()].copy_from_slice(from),
            Some(Place::Into(area)) => area.copy_in(offset, from),
            _ => unreachable!("`submit` checked the area"),
        }
    }
}

impl Driver {
    fn write(&mut self, transfer: &Transfer) {
        let mut bytes = vec![0; transfer.bytes()];
        if let Some(Place::From(area)) = self.place(transfer.area) {
            area.copy_out(transfer.offset as usize, &mut bytes);
        }
        let mut state = self.disk.lock();
        for (index, sector) in bytes.chunks(SECTOR).enumerate() {
            let at = (transfer.sector as usize + index) * SECTOR;
            let before = state.image[at..at + SECTOR].to_vec();
            state.unflushed.push((at, before));
            state.image[at..at + SECTOR].copy_from_slice(sector);
        }
    }
}

impl BlockDevice for Driver {
    fn sectors(&self) -> u64 {
        self.disk.sectors
    }
    fn submit(&mut self, tag: u16, operation: Operation) -> Result<(), SubmitError> {
        match &operation {
            Operation::Read(transfer) | Operation::Write(transfer) if !self.fits(transfer) => {
                return Err(SubmitError::OutOfRange);
            }
            Operation::Read(transfer) if matches!(self.place(transfer.area), Some(Place::From(_))) => {
                return Err(SubmitError::OutOfRange);
            }
            Operation::Write(transfer) if !matches!(self.place(transfer.area), Some(Place::From(_))) => {
                return Err(SubmitError::OutOfRange);
            }
            _ => (),
        }
        let mut state = self.disk.lock();
        if state.pending.len() == DEPTH {
            return Err(SubmitError::Full);
        }
        let end = state.now + 20 + state.random.below(400);
        state.pending.push((end, tag, operation));
        Ok(())
    }
    fn acknowledge(&mut self) {
        self.disk.lock().unseen = false;
    }
    fn completed(&mut self) -> Option<(u16, Result<(), DeviceError>)> {
        let mut state = self.disk.lock();
        let now = state.now;
        let index = state.pending.iter().position(|(end, ..)| *end <= now)?;
        let (_, tag, operation) = state.pending.swap_remove(index);
        drop(state);
        match &operation {
            Operation::Read(transfer) => self.read(transfer),
            Operation::Write(transfer) => self.write(transfer),
            Operation::Flush => self.disk.lock().unflushed.clear(),
        }
        Some((tag, Ok(())))
    }
    fn is_broken(&self) -> bool {
        false
    }
    fn reset(&mut self) -> Result<(), DeviceError> {
        self.disk.lock().pending.clear();
        Ok(())
    }
    fn copy_private(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.private[offset..][..out.len()]);
    }
}
