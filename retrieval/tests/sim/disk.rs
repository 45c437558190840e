// SPDX-License-Identifier: MIT
//! A disk with a volatile cache: at a power cut each unflushed sector is lost, kept or torn, each for itself.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use retrieval::store::{BlockDevice, DeviceError, SECTOR};

use super::Rng;

type Sector = [u8; SECTOR];

/// What a flush does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    Honest,
    /// Says yes, and does nothing, once in so many times.
    Lies(u64),
}

pub struct Medium {
    durable: Vec<u8>,
    /// Unflushed versions of each sector, oldest first.
    cache: BTreeMap<u64, Vec<Sector>>,
    /// Operations until the power fails.
    fuse: Option<u64>,
    /// Sectors of a physical block: a torn write spoils its whole block.
    block: u64,
    flush: Flush,
    rng: Rng,
    pub lies_told: u64,
}

impl Medium {
    /// True while there is power for one more operation.
    fn powered(&mut self) -> bool {
        match &mut self.fuse {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn durable_sector(&mut self, sector: u64) -> &mut [u8] {
        let start = sector as usize * SECTOR;
        &mut self.durable[start..start + SECTOR]
    }

    fn persist(&mut self) {
        for (sector, versions) in std::mem::take(&mut self.cache) {
            let newest = versions[versions.len() - 1];
            self.durable_sector(sector).copy_from_slice(&newest);
        }
    }

    /// Settles one unflushed sector at a power cut.
    fn settle(&mut self, sector: u64, versions: &[Sector]) {
        let version = versions[self.rng.below(versions.len() as u64) as usize];
        // Often within the first bytes, where headers and superblocks keep what matters.
        let limit = if self.rng.one_in(2) { 112 } else { SECTOR as u64 };
        let cut = self.rng.below(limit) as usize;
        match self.rng.below(8) {
            0..=2 => (),
            3..=5 => self.durable_sector(sector).copy_from_slice(&version),
            6 => self.durable_sector(sector)[..cut].copy_from_slice(&version[..cut]),
            _ => self.tear(sector, &version, cut),
        }
    }

    /// Writes the end of a sector, and noise before it, in this and the other sectors of its physical block.
    fn tear(&mut self, sector: u64, version: &Sector, cut: usize) {
        self.durable_sector(sector)[cut..].copy_from_slice(&version[cut..]);
        let first = sector - sector % self.block;
        for neighbour in first..first + self.block {
            if neighbour == sector || self.rng.one_in(2) {
                let noise = self.rng.bytes(cut);
                self.durable_sector(neighbour)[..cut].copy_from_slice(&noise);
            }
        }
    }
}

/// A handle to the medium: the store owns one, the test keeps another.
#[derive(Clone)]
pub struct SimDisk(Rc<RefCell<Medium>>);

impl SimDisk {
    pub fn new(sectors: u64, block: u64, flush: Flush, seed: u64) -> Self {
        let mut rng = Rng(seed);
        let sectors = sectors.next_multiple_of(8);
        let durable = rng.bytes(sectors as usize * SECTOR);
        let cache = BTreeMap::new();
        Self(Rc::new(RefCell::new(Medium { durable, cache, fuse: None, block, flush, rng, lies_told: 0 })))
    }

    /// The power fails after so many more operations.
    pub fn cut_after(&self, operations: Option<u64>) {
        self.0.borrow_mut().fuse = operations;
    }

    /// The power has failed and is back: what was not flushed is lost, kept or torn.
    pub fn power_cut(&self) {
        let mut medium = self.0.borrow_mut();
        medium.fuse = None;
        for (sector, versions) in std::mem::take(&mut medium.cache) {
            medium.settle(sector, &versions);
        }
    }

    pub fn lies_told(&self) -> u64 {
        self.0.borrow().lies_told
    }

    /// Changes the medium behind the store's back.
    pub fn corrupt(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut medium = self.0.borrow_mut();
        medium.persist();
        change(&mut medium.durable);
    }
}

impl BlockDevice for SimDisk {
    fn sectors(&self) -> u64 {
        (self.0.borrow().durable.len() / SECTOR) as u64
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let mut medium = self.0.borrow_mut();
        assert!(buffer.len().is_multiple_of(SECTOR), "whole sectors");
        if sector as usize * SECTOR + buffer.len() > medium.durable.len() {
            return Err(DeviceError::OutOfRange);
        }
        for (index, out) in buffer.chunks_exact_mut(SECTOR).enumerate() {
            let here = sector + index as u64;
            match medium.cache.get(&here) {
                Some(versions) => out.copy_from_slice(&versions[versions.len() - 1]),
                None => out.copy_from_slice(medium.durable_sector(here)),
            }
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), DeviceError> {
        let mut medium = self.0.borrow_mut();
        assert!(data.len().is_multiple_of(SECTOR), "whole sectors");
        if sector as usize * SECTOR + data.len() > medium.durable.len() {
            return Err(DeviceError::OutOfRange);
        }
        for (index, chunk) in data.chunks_exact(SECTOR).enumerate() {
            if !medium.powered() {
                return Err(DeviceError::Gone);
            }
            let mut copy = [0; SECTOR];
            copy.copy_from_slice(chunk);
            medium.cache.entry(sector + index as u64).or_default().push(copy);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        let mut medium = self.0.borrow_mut();
        if !medium.powered() {
            return Err(DeviceError::Gone);
        }
        let lie = match medium.flush {
            Flush::Lies(n) => medium.rng.one_in(n),
            Flush::Honest => false,
        };
        if lie {
            medium.lies_told += 1
        } else {
            medium.persist()
        }
        Ok(())
    }
}
