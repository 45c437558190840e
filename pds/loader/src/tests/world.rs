//! What is around the loader: a supervisor, a storage that can be told to misbehave, and a kernel.

use super::images::Disk;
use crate::{Loader, Memory, PATIENCE, STORAGE, SUPERVISOR, TIMER};
use ipc_link::{Link, LinkState};
use ipc_pd::hosted::enter;
use ipc_pd::{ChannelSet, Handler};
use ipc_protocol::Name;
use ipc_protocol::storage::{MAX_IN_FLIGHT, Outcome, ToClient, ToStorage};
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::supervisor_loader::{Newest, ToLoader, ToSupervisor};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use tests_fixtures::{Clockwork, Region};

pub const WEIGHTS: usize = 8 << 20;
pub const VOCABULARY: usize = 1 << 20;
const DATA: usize = 512 * 1024;
const LINK: usize = 16 * 1024;

/// A storage that serves one client from memory, one read a turn.
pub struct Storage {
    link: Link<ToClient, ToStorage>,
    regions: [Region; 2],
    data: Region,
    disk: Disk,
    pending: VecDeque<ToStorage>,
    reads: u32,
    restarts: u32,
    fail: Option<(u32, Outcome)>,
    restart_at: Option<u32>,
    swap: Option<(u32, Disk)>,
    junk_at: Option<u32>,
    /// It wrote junk over its own side of the link, and does nothing more.
    beside_itself: bool,
    silent: bool,
    /// Writes into every buffer of the data region once its read has ended.
    late_writes: bool,
    ended: Vec<(usize, usize)>,
}

impl Storage {
    /// The read after the next `reads` fails, once.
    pub fn fail_after(&mut self, reads: u32, outcome: Outcome) {
        self.fail = Some((self.reads + reads, outcome));
    }
    pub fn restart_after(&mut self, reads: u32) {
        self.restart_at = Some(self.reads + reads);
    }
    pub fn swap_disk_after(&mut self, reads: u32, disk: Disk) {
        self.swap = Some((self.reads + reads, disk));
    }
    pub fn junk_after(&mut self, reads: u32) {
        self.junk_at = Some(self.reads + reads);
    }
    /// From now on the device goes on writing into buffers whose reads have ended.
    pub fn write_late(&mut self) {
        self.late_writes = true;
    }
    /// The region that the device writes.
    pub fn data(&self) -> Region {
        self.data
    }
    pub fn silent(&mut self, silent: bool) {
        self.silent = silent;
    }
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    fn due(at: Option<u32>, reads: u32) -> bool {
        at.is_some_and(|at| at <= reads)
    }

    fn turn(&mut self) {
        if self.beside_itself {
            return;
        }
        for (offset, length) in core::mem::take(&mut self.ended) {
            self.data.writable().copy_in(offset, &vec![0xa5; length]);
        }
        if let Some((_, disk)) = self.swap.take_if(|(at, _)| *at <= self.reads) {
            self.disk = disk;
            self.restart();
        }
        if Self::due(self.restart_at, self.reads) {
            self.restart_at = None;
            self.restart();
        }
        if self.link.poll() == LinkState::PeerStarted {
            self.pending.clear();
        }
        while let Some(message) = self.link.receive().unwrap() {
            self.pending.push_back(message);
        }
        assert!(self.pending.len() <= MAX_IN_FLIGHT + 1, "the client keeps to the limit");
        if let Some(message) = self.pending.pop_front().filter(|_| !self.silent) {
            self.answer(message);
        }
    }

    fn restart(&mut self) {
        self.restarts += 1;
        self.pending.clear();
        let [mine, theirs] = self.regions;
        self.link = Link::start(mine.writable(), theirs.readable(), STORAGE);
    }

    fn answer(&mut self, message: ToStorage) {
        let answer = match message {
            ToStorage::Describe => {
                let files = (self.disk.files.len() / 512) as u64;
                ToClient::Description { device: self.disk.device, files, data: 0, versions: 0 }
            }
            ToStorage::Read { id, sector, count, offset, .. } => {
                self.reads += 1;
                let failing = self.fail.take_if(|(at, _)| *at <= self.reads).map(|(_, outcome)| outcome);
                let outcome = failing.unwrap_or_else(|| self.read(sector, count, offset));
                ToClient::Done { id, outcome }
            }
            other => panic!("the loader asks for {other:?}"),
        };
        self.link.send(&answer).unwrap();
        if Self::due(self.junk_at, self.reads) {
            use core::sync::atomic::Ordering::Relaxed;
            self.regions[0].writable().store(8, u64::MAX / 2, Relaxed);
            self.beside_itself = true;
        }
    }

    fn read(&mut self, sector: u64, count: u32, offset: u32) -> Outcome {
        let from = sector as usize * 512;
        let Some(bytes) = self.disk.files.get(from..from + count as usize * 512) else {
            return Outcome::Refused;
        };
        assert!(offset as usize + bytes.len() <= DATA);
        self.data.writable().copy_in(offset as usize, bytes);
        if self.late_writes {
            self.ended.push((offset as usize, bytes.len()));
        }
        Outcome::Ok
    }
}

pub struct World {
    kernel: Rc<Clockwork>,
    loader: Loader,
    supervisor: Link<ToLoader, ToSupervisor>,
    regions: [Region; 2],
    pub storage: Storage,
    generation: u32,
    said: Vec<ToSupervisor>,
    newest: BTreeMap<String, u64>,
    /// What the supervisor says instead of a version.
    pub instead: Option<Newest>,
}

fn pair() -> [Region; 2] {
    [Region::new(LINK), Region::new(LINK)]
}

impl World {
    pub fn new(disk: Disk) -> Self {
        Self::with_policy(disk, &[0; 4])
    }

    /// An image that demands something of models.
    pub fn with_policy(disk: Disk, policy: &[u8]) -> Self {
        let kernel = Rc::new(Clockwork::new("loader", TIMER, None));
        enter(kernel.clone(), || Self::wire(kernel.clone(), disk, policy))
    }

    fn wire(kernel: Rc<Clockwork>, disk: Disk, policy: &[u8]) -> Self {
        let ([s, l], [st, ls], data) = (pair(), pair(), Region::new(DATA));
        let supervisor = Link::start(s.writable(), l.readable(), SUPERVISOR);
        let storage = Storage {
            link: Link::start(st.writable(), ls.readable(), STORAGE),
            regions: [st, ls],
            data,
            disk,
            pending: VecDeque::new(),
            reads: 0,
            restarts: 0,
            fail: None,
            restart_at: None,
            swap: None,
            junk_at: None,
            beside_itself: false,
            silent: false,
            late_writes: false,
            ended: Vec::new(),
        };
        let memory =
            Memory { weights: vec![0xee; WEIGHTS].leak(), vocabulary: vec![0xee; VOCABULARY].leak() };
        let loader = Loader::new(
            Link::start(l.writable(), s.readable(), SUPERVISOR),
            Link::start(ls.writable(), st.readable(), STORAGE),
            data.readable(),
            memory,
            policy,
        );
        let regions = [s, l];
        let (said, newest) = (Vec::new(), BTreeMap::new());
        Self { kernel, loader, supervisor, regions, storage, generation: 0, said, newest, instead: None }
    }

    /// One turn of everybody.
    fn turn(&mut self) {
        enter(self.kernel.clone(), || {
            self.loader.notified(ChannelSet::from_bits(1 << STORAGE.id())).unwrap();
            self.supervisor.poll();
            while let Some(message) = self.supervisor.receive().unwrap() {
                self.hear(&message);
                self.said.push(message);
            }
            self.storage.turn();
        });
    }

    /// Keeps account of versions, as the supervisor does.
    fn hear(&mut self, message: &ToSupervisor) {
        match message {
            ToSupervisor::Newest { identity } => {
                let version = self.newest.get(identity.text()).copied().unwrap_or(0);
                let newest = self.instead.unwrap_or(Newest::Version(version));
                self.supervisor.send(&ToLoader::Newest { newest }).unwrap();
            }
            ToSupervisor::Sealed { signed: Some(signed), .. } => {
                let newest = self.newest.entry(signed.identity.text().to_owned()).or_default();
                *newest = signed.version.max(*newest);
            }
            _ => {}
        }
    }

    pub fn turns(&mut self, count: u32) {
        (0..count).for_each(|_| self.turn());
    }

    fn say(&mut self, message: &ToLoader) {
        self.turns(2);
        self.said.clear();
        enter(self.kernel.clone(), || self.supervisor.send(message).unwrap());
    }

    /// Turns until the job has ended; when nothing happens for long, the timer signals.
    fn until_end(&mut self) -> Vec<ToSupervisor> {
        for turn in 0..20_000 {
            self.turn();
            let ended = self.said.iter().any(|message| {
                use ToSupervisor::{Failed, ListEnd, Sealed};
                matches!(message, Sealed { .. } | Failed { .. } | ListEnd { .. })
            });
            if ended {
                return core::mem::take(&mut self.said);
            }
            if self.storage.silent && turn > 100 {
                let alarm = self.kernel.timeout.take().expect("a job that waits has set a timeout");
                assert!(alarm <= self.kernel.now.get() + 2 * PATIENCE);
                self.kernel.now.set(alarm);
            }
        }
        panic!("the job does not end; it said {:?}", self.said);
    }

    pub fn list(&mut self) -> Vec<ToSupervisor> {
        self.say(&ToLoader::List);
        self.until_end()
    }

    pub fn begin(&mut self, name: &str, keep: Option<Sealed>) {
        self.generation += 1;
        let name = Name::new(name.as_bytes());
        self.say(&ToLoader::Load { name, generation: self.generation, keep });
    }

    pub fn load(&mut self, name: &str, keep: Option<Sealed>) -> Vec<ToSupervisor> {
        self.begin(name, keep);
        self.until_end()
    }

    pub fn restart_supervisor(&mut self) {
        let [mine, theirs] = self.regions;
        enter(self.kernel.clone(), || {
            self.supervisor = Link::start(mine.writable(), theirs.readable(), SUPERVISOR);
        });
    }

    pub fn weights(&self, sealed: Sealed) -> &[u8] {
        &self.loader.memory.weights[sealed.offset as usize..][..sealed.length as usize]
    }
    pub fn whole_weights(&self) -> [u8; 32] {
        Sha256::digest(&*self.loader.memory.weights).into()
    }
    pub fn vocabulary(&self, header: u64) -> &[u8] {
        &self.loader.memory.vocabulary[..header as usize]
    }
}

/// Place, name, hash and `kept` of a load that succeeded.
pub fn sealed(said: &[ToSupervisor]) -> (Sealed, String, [u8; 8], bool) {
    match said.last() {
        Some(ToSupervisor::Sealed { sealed, name, hash, kept, .. }) => {
            (*sealed, name.text().to_owned(), *hash, *kept)
        }
        other => panic!("no model was sealed: {other:?}"),
    }
}

/// Reason and `kept` of a load that failed.
pub fn failed(said: &[ToSupervisor]) -> (String, bool) {
    match said.last() {
        Some(ToSupervisor::Failed { why, kept }) => (why.text().to_owned(), *kept),
        other => panic!("the load did not fail: {other:?}"),
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 8] {
    *Sha256::digest(bytes).first_chunk().unwrap()
}
