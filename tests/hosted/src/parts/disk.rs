//! A disk that takes its time and completes requests in any order.

use crate::random::Random;
use crate::world::Device;
use drivers_block::{
    AREAS, Area, BlockDevice, DeviceError, Operation, PRIVATE, PRIVATE_BYTES, SECTOR, SubmitError, Transfer,
};
use memory_region::Writable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most requests under way.
const DEPTH: usize = 20;

struct State {
    random: Random,
    /// Requests under way, and when they end.
    pending: Vec<(u64, u16, Operation)>,
    now: u64,
    unseen: bool,
}

/// The medium, shared by all lives of storage; never written.
pub struct Disk {
    image: Arc<[u8]>,
    state: Mutex<State>,
}

impl Disk {
    /// A disk with these bytes.
    pub fn new(image: Arc<[u8]>, seed: u64) -> Self {
        let state = State { random: Random::new(seed), pending: Vec::new(), now: 0, unseen: false };
        Self { image, state: Mutex::new(state) }
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

/// The driver that storage owns, from one start to its end.
pub struct Driver {
    disk: Arc<Disk>,
    areas: [Option<Writable<'static>>; AREAS],
    private: Vec<u8>,
}

impl Driver {
    /// Starts the device anew; `loader` is the region for the loader's reads.
    pub fn new(disk: Arc<Disk>, loader: Option<Writable<'static>>) -> Self {
        disk.lock().pending.clear();
        Self { disk, areas: [None, loader, None, None], private: vec![0; PRIVATE_BYTES] }
    }

    fn fits(&self, transfer: &Transfer) -> bool {
        let end = transfer.sector.checked_add(u64::from(transfer.count));
        let room = match self.areas.get(usize::from(transfer.area.0)) {
            _ if transfer.area == PRIVATE => PRIVATE_BYTES,
            Some(Some(area)) => area.words() * 8,
            _ => 0,
        };
        let last = (transfer.offset as usize).checked_add(transfer.bytes());
        transfer.count > 0
            && end.is_some_and(|end| end <= self.sectors())
            && last.is_some_and(|last| last <= room)
    }

    fn read(&mut self, transfer: &Transfer) {
        let from = &self.disk.image[transfer.sector as usize * SECTOR..][..transfer.bytes()];
        let offset = transfer.offset as usize;
        match (transfer.area, &self.areas[usize::from(transfer.area.0)]) {
            (PRIVATE, _) => self.private[offset..][..from.len()].copy_from_slice(from),
            (Area(_), Some(area)) => area.copy_in(offset, from),
            _ => unreachable!("`submit` checked the area"),
        }
    }
}

impl BlockDevice for Driver {
    fn sectors(&self) -> u64 {
        (self.disk.image.len() / SECTOR) as u64
    }
    fn submit(&mut self, tag: u16, operation: Operation) -> Result<(), SubmitError> {
        match &operation {
            Operation::Read(transfer) if !self.fits(transfer) => return Err(SubmitError::OutOfRange),
            Operation::Write(_) => return Err(SubmitError::ReadOnly),
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
        if let Operation::Read(transfer) = &operation {
            self.read(transfer);
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
