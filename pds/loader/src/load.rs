//! A load, step by step.

use crate::disk::{Disk, Poll};
use crate::error::cut;
use crate::header::{Header, check};
use crate::place::{Place, place, valid};
use crate::scan::{Model, Scan, file_error};
use crate::transfer::Transfer;
use crate::{LoadError, Memory, Step};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use drivers_fat::{Extent, FileMap, Volume};
use ipc_protocol::Name;
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::supervisor_loader::ToSupervisor;
use sha2::{Digest, Sha256};

/// Bytes that are read before the header is looked at for the first time.
const FIRST_LOOK: u64 = 256 * 1024;
/// Most extents of a file: half a megabyte of memory.
const MAX_EXTENTS: usize = 32_768;
/// A load says so many times how far it is.
const REPORTS: u64 = 50;

enum Phase {
    Scan(Scan),
    Map { volume: Volume, map: FileMap, extents: Vec<Extent> },
    Header { transfer: Transfer, wanted: u64 },
    Weights { transfer: Transfer, header: u64, hash: Sha256, said: u64 },
}

pub(crate) struct LoadJob {
    wanted: String,
    generation: u32,
    /// The old model, as long as it is whole.
    keep: Option<Sealed>,
    phase: Phase,
    model: Option<Model>,
    place: Place,
    /// The old model's header is no longer in the vocabulary region.
    vocabulary_used: bool,
    checked_keep: bool,
}

impl LoadJob {
    pub fn new(name: &Name, generation: u32, keep: Option<Sealed>) -> Self {
        Self {
            wanted: name.text().to_string(),
            generation,
            keep,
            phase: Phase::Scan(Scan::new()),
            model: None,
            place: Place { offset: 0, keeps: false },
            vocabulary_used: false,
            checked_keep: false,
        }
    }

    /// Bytes in place.
    pub fn bytes_done(&self) -> u64 {
        match &self.phase {
            Phase::Weights { transfer, .. } => transfer.arrived(),
            _ => 0,
        }
    }

    pub fn step(&mut self, disk: &mut Disk, memory: &mut Memory) -> Step {
        if !self.checked_keep {
            self.keep = valid(self.keep, memory.weights.len() as u64, memory.vocabulary.len() as u64);
            self.checked_keep = true;
        }
        match self.next(disk, memory) {
            Ok(step) => step,
            Err(error) => Step::End(self.give_up(error, memory)),
        }
    }

    /// Ends the load; the old model, if it is still there, gets its header back.
    pub fn give_up(&mut self, error: LoadError, memory: &mut Memory) -> ToSupervisor {
        if let Some(old) = self.keep.filter(|_| self.vocabulary_used) {
            let (start, length) = (old.offset as usize, old.header as usize);
            // `valid` checked both ranges.
            if let (Some(from), Some(to)) =
                (memory.weights.get(start..start + length), memory.vocabulary.get_mut(..length))
            {
                to.copy_from_slice(from);
            }
        }
        ToSupervisor::Failed { why: error.piece(), kept: self.keep.is_some() }
    }

    fn next(&mut self, disk: &mut Disk, memory: &mut Memory) -> Result<Step, LoadError> {
        match &mut self.phase {
            Phase::Scan(scan) => match scan.step(disk)? {
                Poll::Pending => Ok(Step::Wait),
                Poll::Ready((volume, models)) => {
                    let model = models.find(&self.wanted)?.clone();
                    self.start_map(volume, model, memory)
                }
            },
            Phase::Map { .. } => self.map(disk),
            Phase::Header { .. } => self.header(disk, memory),
            Phase::Weights { .. } => self.weights(disk, memory),
        }
    }

    fn name(&self) -> String {
        self.model.as_ref().map_or_else(String::new, |model| cut(&model.name, 64).to_string())
    }

    fn start_map(&mut self, volume: Volume, model: Model, memory: &Memory) -> Result<Step, LoadError> {
        let (bytes, region) = (u64::from(model.size), memory.weights.len() as u64);
        let map = FileMap::new(&volume, model.cluster, model.size);
        self.model = Some(model);
        self.place = place(region, bytes, self.keep).ok_or_else(|| LoadError::TooLarge {
            name: self.name(),
            bytes,
            region,
        })?;
        self.phase = Phase::Map { volume, map, extents: Vec::new() };
        Ok(Step::Again)
    }

    fn map(&mut self, disk: &mut Disk) -> Result<Step, LoadError> {
        let name = self.name();
        let Phase::Map { volume, map, extents } = &mut self.phase else { return Ok(Step::Again) };
        match disk.step(|source| map.next(volume, source)).map_err(|error| file_error(&name, error))? {
            Poll::Pending => return Ok(Step::Wait),
            Poll::Ready(Some(extent)) => {
                let room = extents.len() < MAX_EXTENTS && extents.try_reserve(1).is_ok();
                if !room {
                    return Err(LoadError::TooFragmented { name });
                }
                extents.push(extent);
            }
            Poll::Ready(None) => {
                let size = self.model.as_ref().map_or(0, |model| u64::from(model.size));
                let transfer = Transfer::new(core::mem::take(extents), size);
                self.phase = Phase::Header { transfer, wanted: FIRST_LOOK.min(size) };
            }
        }
        Ok(Step::Again)
    }

    fn header(&mut self, disk: &mut Disk, memory: &mut Memory) -> Result<Step, LoadError> {
        let name = self.name();
        let Phase::Header { transfer, wanted } = &mut self.phase else { return Ok(Step::Again) };
        let region = memory.vocabulary.len() as u64;
        if *wanted > region {
            return Err(LoadError::HeaderTooLarge { name, header: *wanted, region });
        }
        if transfer.arrived() < *wanted {
            self.vocabulary_used = true;
            transfer.ask(disk, *wanted);
            let taken = transfer.take(disk, memory.vocabulary)?;
            return Ok(if taken.is_some() { Step::Again } else { Step::Wait });
        }
        let prefix = &memory.vocabulary[..transfer.arrived() as usize];
        match check(&name, prefix, transfer.size())? {
            Header::More(at_least) => {
                // Twice as much each time, so that a long header is not parsed over and over.
                let twice = (transfer.arrived() * 2).min(region);
                *wanted = at_least.max(twice).next_multiple_of(512).min(transfer.size());
            }
            Header::Complete(header) => self.start_weights(header, memory),
        }
        Ok(Step::Again)
    }

    /// From here on the weights region changes. What was checked as the header is copied, not read again.
    fn start_weights(&mut self, header: u64, memory: &mut Memory) {
        if !self.place.keeps {
            self.keep = None;
        }
        let scan = Phase::Scan(Scan::new());
        let Phase::Header { transfer, .. } = core::mem::replace(&mut self.phase, scan) else { return };
        let have = transfer.arrived() as usize;
        let file = self.file(&transfer, memory);
        let mut hash = Sha256::new();
        if let (Some(to), Some(from)) = (memory.weights.get_mut(file), memory.vocabulary.get(..have)) {
            to[..have].copy_from_slice(from);
            hash.update(from);
        }
        self.phase = Phase::Weights { transfer, header, hash, said: 0 };
    }

    fn file(&self, transfer: &Transfer, _: &Memory) -> core::ops::Range<usize> {
        let start = self.place.offset as usize;
        start..start + transfer.size() as usize
    }

    fn weights(&mut self, disk: &mut Disk, memory: &mut Memory) -> Result<Step, LoadError> {
        let start = self.place.offset as usize;
        let Phase::Weights { transfer, hash, said, .. } = &mut self.phase else { return Ok(Step::Again) };
        let (total, end) = (transfer.size(), start + transfer.size() as usize);
        if transfer.arrived() == total {
            return Ok(Step::End(self.sealed()));
        }
        transfer.ask(disk, total);
        let file = &mut memory.weights[start..end];
        let Some(piece) = transfer.take(disk, file)? else { return Ok(Step::Wait) };
        hash.update(&file[piece]);
        transfer.ask(disk, total);
        let done = transfer.arrived();
        if done - *said < total / REPORTS && done < total {
            return Ok(Step::Again);
        }
        *said = done;
        Ok(Step::Say(ToSupervisor::Progress { done, total }))
    }

    fn sealed(&mut self) -> ToSupervisor {
        let name = self.model.as_ref().map(Model::wire_name).unwrap_or_default();
        let (header, length, hash) = match &mut self.phase {
            Phase::Weights { transfer, header, hash, .. } => {
                (*header, transfer.size(), hash.finalize_reset())
            }
            _ => (0, 0, Sha256::new().finalize()),
        };
        let sealed = Sealed { generation: self.generation, offset: self.place.offset, length, header };
        let hash = core::array::from_fn(|i| hash[i]);
        ToSupervisor::Sealed { sealed, name, hash, kept: self.keep.is_some() }
    }
}
