//! The `loader` PD: finds models on the disk and puts one into the weights region.
//!
//! One design rule: nothing in the weights region changes before the new file's header has been read, parsed and
//! found usable, and its chain on the disk walked to the end. So a bad file never costs the model that is loaded.
//!
//! A load goes through these steps, each waiting for storage without blocking: the volume, its directories, the
//! manifest if there is one and the image trusts a key, the file's chain of clusters, the header (into the vocabulary
//! region), the checks, and the weights with several reads under way, hashed as they arrive. The bytes that were checked
//! as a header are the ones that end up in the weights region. Of a signed model every chunk is compared with the
//! manifest after it was copied out of storage's reach, and nothing is parsed before that.
//! When storage restarts on the way, reads that were lost are asked for again.
//!
//! Limits: one job at a time; FAT, so files below 4 GiB; [`MAX_MODELS`] models.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod cache;
mod chain;
mod disk;
mod error;
mod header;
mod integrity;
mod list;
mod load;
mod manifest;
mod place;
mod scan;
#[cfg(test)]
mod tests;
mod transfer;
mod trust;

pub use error::LoadError;
pub use scan::MAX_MODELS;

use core::convert::Infallible;
use disk::Disk;
use ipc_link::{Link, LinkError, LinkState};
use ipc_pd::{Channel, ChannelSet, Handler, MessageInfo, clock, health, set_mr};
use ipc_protocol::storage::{ToClient, ToStorage};
use ipc_protocol::supervisor_loader::{ToLoader, ToSupervisor};
use ipc_protocol::timer::SET_TIMEOUT;
use list::ListJob;
use load::LoadJob;
use memory_region::Readable;
use trust::Trust;

/// The channel to the supervisor.
pub const SUPERVISOR: Channel = Channel::new(6);
/// The channel to storage.
pub const STORAGE: Channel = Channel::new(7);
/// The channel to the timer.
pub const TIMER: Channel = Channel::new(25);
/// Microseconds without progress after which a job fails.
pub const PATIENCE: u64 = 20_000_000;

/// What the PD's gauges show.
pub mod gauge {
    /// Reads under way: the queue's depth.
    pub const READS: usize = 0;
    /// Bytes of the current or last load that are in place.
    pub const BYTES: usize = 1;
    /// Loads that succeeded.
    pub const SEALED: usize = 2;
    /// Loads that failed.
    pub const FAILED: usize = 3;
    /// Starts of storage that were noticed.
    pub const STORAGE_STARTS: usize = 4;
}

/// The regions that a load writes. Both are read by other PDs only while this one is stopped.
pub struct Memory {
    /// Where the model goes.
    pub weights: &'static mut [u8],
    /// Where a copy of its header goes.
    pub vocabulary: &'static mut [u8],
}

/// What a job came to in one step.
pub(crate) enum Step {
    /// Something was done: call again.
    Again,
    /// Nothing to do before storage answers or there is room for messages.
    Wait,
    /// Tell the supervisor, then go on.
    Say(ToSupervisor),
    /// Tell the supervisor; the job is over.
    End(ToSupervisor),
}

enum Job {
    Idle,
    List(ListJob),
    Load(LoadJob),
}

/// The PD's state.
pub struct Loader {
    supervisor: Link<ToSupervisor, ToLoader>,
    disk: Disk,
    memory: Memory,
    trust: Trust,
    job: Job,
    /// A message that must not be lost and did not fit into the queue.
    unsent: Option<ToSupervisor>,
    /// Tick at which the job fails if it makes no progress.
    deadline: u64,
    /// Tick at which the timer will signal.
    alarm: u64,
    sealed: u64,
    failed: u64,
}

impl Loader {
    /// A loader without a job. `data` is the region that storage puts into what is read, `policy` the image's
    /// [`ipc_protocol::signing::ModelPolicy`].
    pub fn new(
        supervisor: Link<ToSupervisor, ToLoader>,
        storage: Link<ToStorage, ToClient>,
        data: Readable<'static>,
        memory: Memory,
        policy: &[u8],
    ) -> Self {
        let (disk, trust) = (Disk::new(storage, data), Trust::read(policy));
        let (job, unsent) = (Job::Idle, None);
        Self { supervisor, disk, memory, trust, job, unsent, deadline: 0, alarm: 0, sealed: 0, failed: 0 }
    }

    fn work(&mut self) {
        loop {
            self.follow_supervisor();
            let heard = self.disk.pump();
            let stepped = self.send_unsent() && self.step();
            if heard || stepped {
                self.extend_deadline();
                health::beat();
            } else {
                return;
            }
        }
    }

    /// A new supervisor knows nothing of the job under way.
    fn follow_supervisor(&mut self) {
        if self.supervisor.poll() == LinkState::PeerStarted {
            self.job = Job::Idle;
            self.unsent = None;
            self.disk.abandon();
        }
    }

    /// Whether nothing is left to send.
    fn send_unsent(&mut self) -> bool {
        let Some(message) = self.unsent.take() else { return true };
        // There is nobody to complain to about a supervisor that breaks the protocol.
        if self.supervisor.send(&message) == Err(LinkError::Full) {
            self.unsent = Some(message);
        }
        self.unsent.is_none()
    }

    fn step(&mut self) -> bool {
        let step = match &mut self.job {
            Job::Idle => return self.next_job(),
            Job::List(list) => list.step(&mut self.disk),
            Job::Load(load) if load.awaits_newest() => match self.supervisor.receive() {
                Ok(Some(ToLoader::Newest { newest })) => load.newest(newest, &mut self.memory),
                // Nothing else is expected; the supervisor gives up a job by starting anew.
                Ok(Some(_)) => Step::Again,
                Ok(None) | Err(_) => Step::Wait,
            },
            Job::Load(load) => load.step(&mut self.disk, &mut self.memory, &self.trust),
        };
        match step {
            Step::Again => {}
            Step::Wait => return false,
            Step::Say(progress @ ToSupervisor::Progress { .. }) => drop(self.supervisor.send(&progress)),
            Step::Say(message) => self.unsent = Some(message),
            Step::End(message) => self.end(message),
        }
        true
    }

    fn next_job(&mut self) -> bool {
        match self.supervisor.receive() {
            Ok(Some(ToLoader::List)) => self.job = Job::List(ListJob::new()),
            Ok(Some(ToLoader::Load { name, generation, keep })) => {
                self.job = Job::Load(LoadJob::new(&name, generation, keep));
            }
            // The answer to a job that is over.
            Ok(Some(ToLoader::Newest { .. })) => return true,
            Ok(None) | Err(_) => return false,
        }
        self.disk.begin();
        true
    }

    fn end(&mut self, message: ToSupervisor) {
        match message {
            ToSupervisor::Sealed { .. } => self.sealed += 1,
            ToSupervisor::Failed { .. } => self.failed += 1,
            _ => {}
        }
        self.job = Job::Idle;
        self.unsent = Some(message);
        self.disk.abandon();
        // Now: the supervisor may stop this PD as soon as it has the message.
        self.report();
    }

    /// Fails a job that made no progress for [`PATIENCE`].
    fn check_deadline(&mut self) {
        if clock::ticks() < self.deadline {
            return;
        }
        let message = match &mut self.job {
            Job::Idle => return,
            Job::List(list) => list.give_up(),
            Job::Load(load) => load.give_up(LoadError::NoAnswer, &mut self.memory),
        };
        self.end(message);
    }

    fn extend_deadline(&mut self) {
        self.deadline = clock::ticks().saturating_add(clock::from_micros(PATIENCE));
    }

    /// Asks to be woken when the job's patience ends, unless that is arranged already.
    fn watch(&mut self) {
        let now = clock::ticks();
        if matches!(self.job, Job::Idle) || now < self.alarm {
            return;
        }
        self.alarm = self.deadline;
        set_mr(0, clock::to_micros(self.deadline.saturating_sub(now)).saturating_add(1));
        TIMER.pp_call(MessageInfo::new(SET_TIMEOUT, 1));
    }

    fn report(&self) {
        if let Job::Load(load) = &self.job {
            health::gauge(gauge::BYTES, load.bytes_done());
        }
        health::gauge(gauge::READS, self.disk.reads() as u64);
        health::gauge(gauge::SEALED, self.sealed);
        health::gauge(gauge::FAILED, self.failed);
        health::gauge(gauge::STORAGE_STARTS, self.disk.lives());
    }
}

impl Handler for Loader {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.check_deadline();
        self.work();
        self.watch();
        self.report();
        Ok(())
    }
}
