//! A load, step by step.

use crate::chain::Chain;
use crate::disk::{Disk, Poll};
use crate::error::cut;
use crate::header::{Header, check};
use crate::integrity::{Integrity, mismatch};
use crate::manifest::ManifestFile;
use crate::place::{Place, place, valid};
use crate::scan::{Model, Scan};
use crate::transfer::Transfer;
use crate::trust::{Demand, Trust};
use crate::{LoadError, Memory, Step};
use alloc::string::{String, ToString};
use drivers_fat::Volume;
use inference_manifest::Checker;
use ipc_protocol::Name;
use ipc_protocol::signing::Signed;
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::supervisor_loader::{Newest, ToSupervisor};
use sha2::Sha256;

/// Bytes that are read before the header is looked at for the first time.
const FIRST_LOOK: u64 = 256 * 1024;
/// A load says so many times how far it is.
const REPORTS: u64 = 50;

enum Phase {
    Scan(Scan),
    Manifest {
        volume: Volume,
        file: ManifestFile,
    },
    /// The supervisor is asked for the newest version, or was asked.
    Newest {
        volume: Volume,
        checker: Checker,
        signed: Signed,
        asked: bool,
    },
    Map(Chain),
    Header {
        transfer: Transfer,
        wanted: u64,
    },
    Weights {
        transfer: Transfer,
        header: u64,
        said: u64,
    },
}

pub(crate) struct LoadJob {
    wanted: String,
    generation: u32,
    /// The old model, as long as it is whole.
    keep: Option<Sealed>,
    phase: Phase,
    model: Option<Model>,
    place: Place,
    integrity: Integrity,
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
            integrity: Integrity::Unsigned(Sha256::default()),
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

    /// Whether the supervisor has to answer before this goes on.
    pub fn awaits_newest(&self) -> bool {
        matches!(self.phase, Phase::Newest { asked: true, .. })
    }

    pub fn step(&mut self, disk: &mut Disk, memory: &mut Memory, trust: &Trust) -> Step {
        if !self.checked_keep {
            self.keep = valid(self.keep, memory.weights.len() as u64, memory.vocabulary.len() as u64);
            self.checked_keep = true;
        }
        match self.next(disk, memory, trust) {
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

    fn next(&mut self, disk: &mut Disk, memory: &mut Memory, trust: &Trust) -> Result<Step, LoadError> {
        match &mut self.phase {
            Phase::Scan(scan) => match scan.step(disk)? {
                Poll::Pending => Ok(Step::Wait),
                Poll::Ready((volume, models)) => {
                    self.model = Some(models.find(&self.wanted)?.clone());
                    self.start_manifest(volume, memory, trust)
                }
            },
            Phase::Manifest { .. } => self.manifest(disk, trust),
            Phase::Newest { signed, asked, .. } => match core::mem::replace(asked, true) {
                true => Ok(Step::Wait),
                false => Ok(Step::Say(ToSupervisor::Newest { identity: signed.identity.clone() })),
            },
            Phase::Map(_) => self.map(disk),
            Phase::Header { .. } => self.header(disk, memory),
            Phase::Weights { .. } => self.weights(disk, memory),
        }
    }

    fn name(&self) -> String {
        self.model.as_ref().map_or_else(String::new, |model| cut(&model.name, 64).to_string())
    }

    fn size(&self) -> u64 {
        self.model.as_ref().map_or(0, |model| u64::from(model.file.size))
    }

    // ---- who signed it ----

    fn start_manifest(&mut self, volume: Volume, memory: &Memory, trust: &Trust) -> Result<Step, LoadError> {
        let name = self.name();
        let manifest = self.model.as_ref().and_then(|model| model.manifest);
        match (trust.demand()?, manifest) {
            (Demand::Nothing, _) | (Demand::IfThere, None) => return self.start_map(volume, memory),
            (Demand::Always, None) => return Err(LoadError::NotSigned { name }),
            (_, Some(file)) => {
                let file = ManifestFile::new(volume, file, &name)?;
                self.phase = Phase::Manifest { volume, file };
            }
        }
        Ok(Step::Again)
    }

    fn manifest(&mut self, disk: &mut Disk, trust: &Trust) -> Result<Step, LoadError> {
        let (name, size) = (self.name(), self.size());
        let Phase::Manifest { volume, file } = &mut self.phase else { return Ok(Step::Again) };
        let Poll::Ready(bytes) = file.step(disk, &name)? else { return Ok(Step::Wait) };
        let volume = *volume;
        let (manifest, signed) = trust.verify(&name, &bytes)?;
        not_older(&name, &signed, trust.minimum(&signed.identity)?)?;
        let checker = Checker::new(manifest);
        checker.check_length(size).map_err(|error| mismatch(&name, &signed, error))?;
        self.phase = Phase::Newest { volume, checker, signed, asked: false };
        Ok(Step::Again)
    }

    /// The supervisor's answer, for which [`LoadJob::awaits_newest`] says that there is need.
    pub fn newest(&mut self, newest: Newest, memory: &mut Memory) -> Step {
        match self.accept(newest, memory) {
            Ok(step) => step,
            Err(error) => Step::End(self.give_up(error, memory)),
        }
    }

    fn accept(&mut self, newest: Newest, memory: &Memory) -> Result<Step, LoadError> {
        let name = self.name();
        let scan = Phase::Scan(Scan::new());
        let Phase::Newest { volume, checker, signed, .. } = core::mem::replace(&mut self.phase, scan) else {
            return Ok(Step::Again);
        };
        match newest {
            Newest::Version(version) => not_older(&name, &signed, version)?,
            Newest::Full => return Err(LoadError::TooManyIdentities { name }),
            Newest::Unreadable => return Err(LoadError::NoAccount { name }),
        }
        self.integrity = Integrity::Signed(checker, signed);
        self.start_map(volume, memory)
    }

    // ---- where it lies, and where it goes ----

    fn start_map(&mut self, volume: Volume, memory: &Memory) -> Result<Step, LoadError> {
        let (bytes, region) = (self.size(), memory.weights.len() as u64);
        let too_large = LoadError::TooLarge { name: self.name(), bytes, region };
        self.place = place(region, bytes, self.keep).ok_or(too_large)?;
        let Some(model) = &self.model else { return Ok(Step::Again) };
        self.phase = Phase::Map(Chain::new(volume, model.file));
        Ok(Step::Again)
    }

    fn map(&mut self, disk: &mut Disk) -> Result<Step, LoadError> {
        let (name, size) = (self.name(), self.size());
        let Phase::Map(chain) = &mut self.phase else { return Ok(Step::Again) };
        let Poll::Ready(extents) = chain.step(disk, &name)? else { return Ok(Step::Wait) };
        let wanted = self.integrity.needed(FIRST_LOOK.min(size));
        self.phase = Phase::Header { transfer: Transfer::new(extents, size), wanted };
        Ok(Step::Again)
    }

    // ---- its bytes ----

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
            let Some(piece) = transfer.take(disk, memory.vocabulary)? else { return Ok(Step::Wait) };
            self.integrity.update(&name, &memory.vocabulary[piece])?;
            return Ok(Step::Again);
        }
        let usable = self.integrity.usable(transfer.arrived()) as usize;
        match check(&name, &memory.vocabulary[..usable], transfer.size())? {
            Header::More(at_least) => {
                // Twice as much each time, so that a long header is not parsed over and over.
                let twice = (transfer.arrived() * 2).min(region);
                let more = at_least.max(twice).next_multiple_of(512).min(transfer.size());
                *wanted = self.integrity.needed(more);
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
        let (start, have) = (self.place.offset as usize, transfer.arrived() as usize);
        if let (Some(to), Some(from)) =
            (memory.weights.get_mut(start..start + have), memory.vocabulary.get(..have))
        {
            to.copy_from_slice(from);
        }
        self.phase = Phase::Weights { transfer, header, said: 0 };
    }

    fn weights(&mut self, disk: &mut Disk, memory: &mut Memory) -> Result<Step, LoadError> {
        let (name, start) = (self.name(), self.place.offset as usize);
        let Phase::Weights { transfer, said, .. } = &mut self.phase else { return Ok(Step::Again) };
        let (total, end) = (transfer.size(), start + transfer.size() as usize);
        if transfer.arrived() == total {
            return self.sealed().map(Step::End);
        }
        transfer.ask(disk, total);
        let file = &mut memory.weights[start..end];
        let Some(piece) = transfer.take(disk, file)? else { return Ok(Step::Wait) };
        // The copy is hashed, not the region that storage's device could still write.
        self.integrity.update(&name, &file[piece])?;
        transfer.ask(disk, total);
        let done = transfer.arrived();
        if done - *said < total / REPORTS && done < total {
            return Ok(Step::Again);
        }
        *said = done;
        Ok(Step::Say(ToSupervisor::Progress { done, total }))
    }

    fn sealed(&mut self) -> Result<ToSupervisor, LoadError> {
        let Phase::Weights { transfer, header, .. } = &self.phase else { return Err(LoadError::DiskChanged) };
        let (generation, offset) = (self.generation, self.place.offset);
        let sealed = Sealed { generation, offset, length: transfer.size(), header: *header };
        let hash = self.integrity.finish().ok_or(LoadError::DiskChanged)?;
        let name = self.model.as_ref().map(Model::wire_name).unwrap_or_default();
        let signed = self.integrity.signed().cloned();
        Ok(ToSupervisor::Sealed { sealed, name, hash, kept: self.keep.is_some(), signed })
    }
}

fn not_older(name: &str, signed: &Signed, oldest: u64) -> Result<(), LoadError> {
    if signed.version >= oldest {
        return Ok(());
    }
    let (name, identity) = (name.to_string(), signed.identity.text().to_string());
    Err(LoadError::Rollback { name, identity, version: signed.version, oldest })
}
