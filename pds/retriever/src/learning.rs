// SPDX-License-Identifier: MIT
//! Pairs to learn from and the adapters that came of them: kept in the store, for session, the trainer and compute.
//!
//! One design rule: what the trainer wrote is copied out once, and stored only if it is what session was told of: so
//! many bytes with this checksum. What compute may use is what was stored.

use crate::inbox::pieces;
use crate::retriever::Retriever;
use crate::shelf::Shelf;
use crate::time;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ipc_protocol::adapter::{self, Place, SLOT};
use ipc_protocol::session_retriever::{Learning as Wanted, PairKind, ToSession, Version};
use memory_region::{Readable, Writable};
use retrieval::memory::Adapter;
use retrieval::record::{self, AdapterVersion};

/// The regions of adapters, and whether pairs are collected.
#[derive(Default)]
pub(crate) struct Learning {
    from_trainer: Option<Readable<'static>>,
    to_compute: Option<Writable<'static>>,
    pub on: bool,
}

impl Retriever {
    /// With the region in which the trainer leaves adapters, and the one in which compute finds them.
    #[must_use]
    pub fn with_adapters(mut self, regions: Option<(Readable<'static>, Writable<'static>)>) -> Self {
        if let Some((from_trainer, to_compute)) = regions {
            self.learning.from_trainer = Some(from_trainer);
            self.learning.to_compute = Some(to_compute);
        }
        self
    }

    /// The store was opened.
    pub(crate) fn read_learning(&mut self) {
        if let Shelf::Open(store) = &mut self.shelf {
            self.learning.on = store.is_learning().unwrap_or(false);
        }
    }

    pub(crate) fn keep_pair(
        &mut self,
        id: u32,
        kind: PairKind,
        end: usize,
        text: &str,
    ) -> Result<(), String> {
        let (question, answer) = text.split_at_checked(end).ok_or("the pair arrived damaged")?;
        let pair = record::Pair { time: time::now(), kind: stored(kind), question, answer };
        let (store, _) = self.open_store()?;
        let number = store.keep_pair(&pair);
        let number = number.map_err(|error| format!("the pair is not kept: {}", self.failed(error)))?;
        self.say(id, &format!("kept as pair {number}"));
        Ok(())
    }

    pub(crate) fn learning(&mut self, id: u32, what: Wanted) -> Result<(), String> {
        match what {
            Wanted::Switch(on) => self.switch_learning(on),
            Wanted::Pairs => self.tell_pairs(id),
            Wanted::Versions => self.tell_versions(id),
            Wanted::ForgetPair(number) => self.forget_pair(id, number),
            Wanted::Forget => self.forget_learning(id),
            Wanted::Keep(version) => self.keep_adapter(id, &version),
            Wanted::Load { version, slot } => self.load_adapter(id, version, slot),
            Wanted::Activate { base, version } => {
                let (store, _) = self.open_store()?;
                let done = store.activate(base, version);
                done.map_err(|error| self.failed(error))
            }
        }
    }

    fn switch_learning(&mut self, on: bool) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let done = store.set_learning(on);
        done.map_err(|error| self.failed(error))?;
        self.learning.on = on;
        Ok(())
    }

    fn tell_pairs(&mut self, id: u32) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let pairs = store.pairs();
        let pairs = pairs.map_err(|error| self.failed(error))?;
        let mut inbox = self.inbox.borrow_mut();
        for pair in pairs {
            let (number, question) = (pair.id, pair.question.len() as u32);
            inbox.say(ToSession::Pair { id, number, kind: told(pair.kind), question });
            for (piece, last) in pieces(&(pair.question + &pair.answer)) {
                inbox.say(ToSession::Text { id, piece, last });
            }
        }
        Ok(())
    }

    fn tell_versions(&mut self, id: u32) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let adapters = store.adapters();
        let adapters = adapters.map_err(|error| self.failed(error))?;
        let mut inbox = self.inbox.borrow_mut();
        adapters.iter().for_each(|adapter| inbox.say(ToSession::Version { id, version: as_told(adapter) }));
        Ok(())
    }

    fn forget_pair(&mut self, id: u32, number: u64) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let done = store.forget_pair(number);
        done.map_err(|error| format!("pair {number}: {}", self.failed(error)))?;
        self.say(id, &format!("pair {number} is forgotten"));
        Ok(())
    }

    fn forget_learning(&mut self, id: u32) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let forgotten = store.forget_learning();
        let (pairs, adapters) = forgotten.map_err(|error| self.failed(error))?;
        if let Some(region) = &self.learning.to_compute {
            region.erase();
        }
        self.say(id, &format!("forgotten: {pairs} pairs and {adapters} adapters"));
        Ok(())
    }

    /// Stores what the trainer made.
    fn keep_adapter(&mut self, id: u32, told: &Version) -> Result<(), String> {
        let from = self.learning.from_trainer.ok_or("this system has no trainer")?;
        let length = told.length as usize;
        if length == 0 || length > SLOT.min(from.words() * 8) {
            return Err(format!("an adapter of {length} bytes cannot be stored: at most {SLOT}"));
        }
        let mut file = Vec::new();
        file.try_reserve_exact(length).map_err(|_| "the retriever has no memory for the adapter")?;
        file.resize(length, 0);
        from.copy_out(0, &mut file);
        if adapter::checksum(&file) != told.checksum {
            return Err("the adapter is not the one that was announced: it is not stored".into());
        }
        let Version { base, length, checksum, pairs, newest, before, after, .. } = *told;
        let time = time::now();
        let version = AdapterVersion { base, length, checksum, pairs, newest, time, before, after };
        let (store, _) = self.open_store()?;
        let kept = store.keep_adapter(&version, &file);
        let number = kept.map_err(|error| format!("the adapter is not stored: {}", self.failed(error)))?;
        let version = as_told(&Adapter { number, version, active: false });
        self.inbox.borrow_mut().say(ToSession::Version { id, version });
        Ok(())
    }

    /// Puts an adapter where compute finds it.
    fn load_adapter(&mut self, id: u32, number: u32, slot: u8) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let mut file = Vec::new();
        let read = store.read_adapter(number, &mut file);
        let version = read.map_err(|error| format!("adapter {number}: {}", self.failed(error)))?;
        let place = Place { version: number, slot, length: version.length, checksum: version.checksum };
        let region = self.learning.to_compute.as_ref().ok_or("this system has no place for adapters")?;
        let (start, length) = place.range().ok_or("there is no such slot, or the adapter does not fit it")?;
        if adapter::checksum(&file) != version.checksum || start + length > region.words() * 8 {
            return Err(format!("adapter {number} is damaged on the disk: it is not used"));
        }
        region.copy_in(start, &file);
        self.inbox.borrow_mut().say(ToSession::Loaded { id, place });
        Ok(())
    }
}

fn as_told(adapter: &Adapter) -> Version {
    let AdapterVersion { base, length, checksum, pairs, newest, time, before, after } = adapter.version;
    let (number, active) = (adapter.number, adapter.active);
    Version { number, base, length, checksum, pairs, newest, time, before, after, active }
}

fn stored(kind: PairKind) -> record::PairKind {
    match kind {
        PairKind::Correction => record::PairKind::Correction,
        PairKind::Accepted => record::PairKind::Accepted,
        PairKind::Refused => record::PairKind::Refused,
        PairKind::Marked => record::PairKind::Marked,
    }
}

fn told(kind: record::PairKind) -> PairKind {
    match kind {
        record::PairKind::Correction => PairKind::Correction,
        record::PairKind::Accepted => PairKind::Accepted,
        record::PairKind::Refused => PairKind::Refused,
        record::PairKind::Marked => PairKind::Marked,
    }
}
