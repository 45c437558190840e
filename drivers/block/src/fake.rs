//! A disk in memory whose requests end when its owner says so (feature `fake`).

use crate::{
    AREAS, BlockDevice, DeviceError, Operation, PRIVATE, PRIVATE_BYTES, SECTOR, SubmitError, Transfer,
};
use memory_region::{Readable, Writable};
use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;
use std::vec;
use std::vec::Vec;

/// Most requests under way.
pub const DEPTH: usize = 20;

/// A region beside the disk.
#[derive(Default)]
pub enum Memory {
    /// Not wired.
    #[default]
    None,
    /// Reads go there.
    Into(Writable<'static>),
    /// Writes come from there.
    From(Readable<'static>),
}

/// The disk as its owner sees it.
pub struct State {
    /// Its bytes.
    pub image: Vec<u8>,
    /// Requests under way, oldest first.
    pub pending: Vec<(u16, Operation)>,
    /// Requests that fail with an error when they touch one of these sectors.
    pub bad: core::ops::Range<u64>,
    /// The device is gone: requests are taken and never end, and a reset fails.
    pub gone: bool,
    /// The next completion names a request that does not exist.
    pub broken: bool,
    /// Resets so far.
    pub resets: u32,
    /// Flushes so far.
    pub flushes: u32,
    done: VecDeque<(u16, Result<(), DeviceError>)>,
    private: Vec<u8>,
    areas: [Memory; AREAS],
}

/// A handle; clones share the disk.
#[derive(Clone)]
pub struct FakeDisk(Rc<RefCell<State>>);

impl FakeDisk {
    /// A disk with these bytes; `areas[0]` is not used, the private buffer is the disk's own.
    pub fn new(image: Vec<u8>, areas: [Memory; AREAS]) -> Self {
        Self(Rc::new(RefCell::new(State {
            image,
            pending: Vec::new(),
            bad: 0..0,
            gone: false,
            broken: false,
            resets: 0,
            flushes: 0,
            done: VecDeque::new(),
            private: vec![0; PRIVATE_BYTES],
            areas,
        })))
    }

    /// The disk's state.
    pub fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    /// Carries out the pending request at `index` (counted round). False where none is pending. An interrupt is due
    /// afterwards.
    pub fn finish(&self, index: usize) -> bool {
        let mut state = self.state();
        if state.pending.is_empty() || state.gone {
            return false;
        }
        let index = index % state.pending.len();
        let (tag, operation) = state.pending.remove(index);
        let result = state.carry_out(operation);
        state.done.push_back((tag, result));
        true
    }

    /// Carries out everything.
    pub fn finish_all(&self) -> usize {
        core::iter::from_fn(|| self.finish(0).then_some(())).count()
    }
}

impl State {
    fn carry_out(&mut self, operation: Operation) -> Result<(), DeviceError> {
        match operation {
            Operation::Flush => {
                self.flushes += 1;
                Ok(())
            }
            Operation::Read(transfer) => self.check(transfer).map(|()| self.read(transfer)),
            Operation::Write(transfer) => self.check(transfer).map(|()| self.write(transfer)),
        }
    }

    fn check(&self, transfer: Transfer) -> Result<(), DeviceError> {
        let (first, end) = (transfer.sector, transfer.sector + u64::from(transfer.count));
        if first < self.bad.end && self.bad.start < end { Err(DeviceError::Io) } else { Ok(()) }
    }

    fn read(&mut self, transfer: Transfer) {
        let bytes = &self.image[transfer.sector as usize * SECTOR..][..transfer.bytes()];
        let offset = transfer.offset as usize;
        match &self.areas[usize::from(transfer.area.0)] {
            _ if transfer.area == PRIVATE => self.private[offset..][..bytes.len()].copy_from_slice(bytes),
            Memory::Into(region) => region.copy_in(offset, bytes),
            _ => panic!("a read into an area that is not for reads"),
        }
    }

    fn write(&mut self, transfer: Transfer) {
        let Memory::From(region) = &self.areas[usize::from(transfer.area.0)] else {
            panic!("a write from an area that is not for writes")
        };
        let bytes = &mut self.image[transfer.sector as usize * SECTOR..][..transfer.bytes()];
        region.copy_out(transfer.offset as usize, bytes);
    }

    fn area_bytes(&self, transfer: &Transfer) -> usize {
        match self.areas.get(usize::from(transfer.area.0)) {
            _ if transfer.area == PRIVATE => PRIVATE_BYTES,
            Some(Memory::Into(region)) => region.words() * 8,
            Some(Memory::From(region)) => region.words() * 8,
            _ => 0,
        }
    }
}

impl BlockDevice for FakeDisk {
    fn sectors(&self) -> u64 {
        (self.state().image.len() / SECTOR) as u64
    }
    fn submit(&mut self, tag: u16, operation: Operation) -> Result<(), SubmitError> {
        let sectors = self.sectors();
        let mut state = self.state();
        if let Operation::Read(transfer) | Operation::Write(transfer) = &operation {
            let end = transfer.sector.checked_add(u64::from(transfer.count));
            let fits = transfer.offset as usize + transfer.bytes() <= state.area_bytes(transfer);
            if transfer.count == 0 || end.is_none_or(|end| end > sectors) || !fits {
                return Err(SubmitError::OutOfRange);
            }
        }
        if state.pending.len() + state.done.len() >= DEPTH {
            return Err(SubmitError::Full);
        }
        state.pending.push((tag, operation));
        Ok(())
    }
    fn acknowledge(&mut self) {}
    fn completed(&mut self) -> Option<(u16, Result<(), DeviceError>)> {
        let mut state = self.state();
        if state.broken { None } else { state.done.pop_front() }
    }
    fn is_broken(&self) -> bool {
        self.state().broken
    }
    fn reset(&mut self) -> Result<(), DeviceError> {
        let mut state = self.state();
        state.resets += 1;
        state.broken = false;
        state.pending.clear();
        state.done.clear();
        if state.gone { Err(DeviceError::Io) } else { Ok(()) }
    }
    fn copy_private(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.state().private[offset..][..out.len()]);
    }
}
