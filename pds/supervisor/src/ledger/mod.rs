//! The account of the versions of signed models that were in use, kept on the disk across power cycles (ADR 0022).
//!
//! One design rule: nobody waits here. What was read and what is to be written lies in two regions of its own; requests
//! to storage are messages, and after a restart of storage what was under way is asked for again.
//! While the account is not read yet, a question has no answer, and the loader waits. A disk without the partition
//! keeps nothing: then versions count until the supervisor's end.
//!
//! Limits: accidents are found and survived, one power cut loses at most the newest version; whoever can write the disk
//! can turn the account back.

mod record;
mod state;

use crate::children::STORAGE_CHANNEL;
use crate::model::versions::Versions;
use crate::post::{News, PER_TURN, Post};
use ipc_protocol::signing::{Identity, Signed};
use ipc_protocol::storage::{Outcome, Partition, ToClient, ToStorage};
use ipc_protocol::supervisor_loader::Newest;
use memory_region::{Readable, Writable};
use record::{BYTES, COPIES, Copy, Record, SECTORS};
pub use state::{Means, Remark};
use state::{State, Writing};

/// See the module's documentation.
pub struct Ledger {
    post: Post<ToStorage, ToClient, 4>,
    read: Option<Readable<'static>>,
    write: Option<Writable<'static>>,
    versions: Versions,
    state: State,
    writing: Writing,
    /// Versions changed since the last record.
    changed: bool,
    /// Number of the request under way.
    id: u32,
}

impl Ledger {
    /// Starts the link; nothing is known yet.
    pub fn new(means: Means) -> Self {
        let complete = means.link.is_some() && means.read.is_some() && means.write.is_some();
        Self {
            post: Post::start(means.link, STORAGE_CHANNEL),
            read: means.read,
            write: means.write,
            versions: Versions::default(),
            state: if complete { State::Unasked } else { State::Absent },
            writing: Writing::No,
            changed: false,
            id: 0,
        }
    }

    /// The newest version that was in use; `None`: not known yet, ask again.
    pub fn newest(&mut self, identity: &Identity) -> Option<Newest> {
        match self.state {
            State::Known(_) | State::Absent => Some(self.versions.newest(identity)),
            State::Unasked | State::Asked | State::Reading(_) => None,
            State::Failed => {
                // The next question finds out whether the disk is better by then.
                self.state = State::Unasked;
                Some(Newest::Unreadable)
            }
        }
    }

    /// Takes note of a model that compute uses.
    pub fn accept(&mut self, signed: &Signed) {
        self.changed |= self.versions.accept(signed);
    }

    /// Storage was stopped.
    pub fn peer_is_gone(&mut self) {
        self.post.peer_is_gone();
    }

    /// Hears storage and says what is due.
    pub fn turn(&mut self) -> Option<Remark> {
        let mut remark = None;
        for _ in 0..PER_TURN {
            match self.post.next() {
                News::Nothing => break,
                News::Started => self.start_again(),
                News::Misbehaved => return Some(Remark::Misbehaved),
                News::Message(message) => remark = self.hear(message).or(remark),
            }
        }
        self.say();
        self.post.flush();
        remark
    }

    /// What was under way in storage is lost.
    fn start_again(&mut self) {
        self.post.forget();
        self.changed |= self.writing != Writing::No;
        self.writing = Writing::No;
        if let State::Asked | State::Reading(_) = self.state {
            self.state = State::Unasked;
        }
    }

    fn say(&mut self) {
        match &self.state {
            State::Unasked => {
                self.post.send(ToStorage::Describe);
                self.state = State::Asked;
            }
            State::Known(last) if self.changed && self.writing == Writing::No => {
                let next = last.next(&self.versions);
                self.changed = false;
                self.begin_write(next);
            }
            _ => (),
        }
    }

    fn begin_write(&mut self, record: Record) {
        let (Some(bytes), Some(region)) = (record.encode(), &self.write) else { return };
        region.copy_in(0, &bytes);
        let (id, sector) = (self.next_id(), record.place());
        let (partition, count, offset) = (Partition::Versions, SECTORS, 0);
        self.post.send(ToStorage::Write { id, partition, sector, count, offset });
        self.writing = Writing::Record(record);
    }

    fn next_id(&mut self) -> u32 {
        self.id = self.id.wrapping_add(1);
        self.id
    }

    fn hear(&mut self, message: ToClient) -> Option<Remark> {
        match (message, &self.state) {
            (ToClient::Description { versions, .. }, State::Asked) => self.described(versions),
            (ToClient::Done { id, outcome }, State::Reading(_)) if id == self.id => {
                return self.was_read(outcome);
            }
            (ToClient::Done { id, outcome }, State::Known(_)) if id == self.id => {
                return self.was_written(outcome);
            }
            // Answers to what nobody waits for any more.
            _ => (),
        }
        None
    }

    fn described(&mut self, sectors: u64) {
        if sectors < COPIES[1] + u64::from(SECTORS) {
            self.state = State::Absent;
            return;
        }
        self.state = State::Reading([None, None]);
        self.begin_read(0);
    }

    fn begin_read(&mut self, copy: usize) {
        let (id, sector) = (self.next_id(), COPIES[copy]);
        let (partition, count, offset) = (Partition::Versions, SECTORS, 0);
        self.post.send(ToStorage::Read { id, partition, sector, count, offset });
    }

    fn was_read(&mut self, outcome: Outcome) -> Option<Remark> {
        let (State::Reading(copies), Some(region)) = (&mut self.state, &self.read) else { return None };
        let mut bytes = [0; BYTES];
        region.copy_out(0, &mut bytes);
        match (outcome, copies) {
            (Outcome::Ok, [first @ None, _]) => {
                *first = Some(Record::decode(&bytes));
                self.begin_read(1);
                None
            }
            (Outcome::Ok, [Some(first), _]) => {
                let copies = [first.clone(), Record::decode(&bytes)];
                self.compare(copies)
            }
            _ => {
                self.state = State::Failed;
                None
            }
        }
    }

    /// Both copies are read.
    fn compare(&mut self, copies: [Copy; 2]) -> Option<Remark> {
        let (record, damaged) = Record::newer(copies);
        let record = record.unwrap_or_default();
        let mut versions = Versions::default();
        versions.merge(&record.versions);
        self.changed |= versions.merge(self.versions.entries());
        self.versions = versions;
        self.state = State::Known(record);
        damaged.then_some(Remark::Damaged)
    }

    fn was_written(&mut self, outcome: Outcome) -> Option<Remark> {
        match (core::mem::replace(&mut self.writing, Writing::No), outcome) {
            (Writing::Record(record), Outcome::Ok) => {
                let id = self.next_id();
                self.post.send(ToStorage::Flush { id });
                self.writing = Writing::Flush(record);
                None
            }
            (Writing::Flush(record), Outcome::Ok) => {
                self.state = State::Known(record);
                None
            }
            (Writing::No, _) => None,
            // With the next version that is accepted it is tried again.
            _ => Some(Remark::NotWritten),
        }
    }
}
