mod any_order;
mod files;

use super::*;
use drivers_block::fake::{FakeDisk, Memory};
use drivers_block::{Area, SECTOR};
use ipc_link::{Link, LinkError, LinkState};
use ipc_pd::hosted::{HostKernel, enter};
use ipc_protocol::storage::{MAX_IN_FLIGHT, Partition, ToClient, ToStorage};
use memory_region::fake::Region;
use memory_region::{Readable, Writable};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

const DATA: usize = 64 * 1024;
const FILES: u64 = 100;
const OWN: u64 = 50;
const FILES_AT: u64 = 64;
const OWN_AT: u64 = 200;
const VERSIONS: u64 = 10;
const VERSIONS_AT: u64 = 250;

#[derive(Default)]
struct Kernel {
    now: Cell<u64>,
    signals: RefCell<HashMap<u64, u32>>,
    timeouts: Cell<u32>,
}

impl HostKernel for Kernel {
    fn name(&self) -> &'static str {
        "storage"
    }
    fn has_notify_channel(&self, _: Channel) -> bool {
        true
    }
    fn send(&self, slot: u64, _: MessageInfo) {
        *self.signals.borrow_mut().entry(slot).or_default() += 1;
    }
    fn call(&self, slot: u64, _: MessageInfo) -> MessageInfo {
        self.timeouts.set(self.timeouts.get() + u32::from(slot == 74 + 24));
        MessageInfo::default()
    }
    fn ticks(&self) -> u64 {
        self.now.get()
    }
    fn health_page(&self) -> Option<Writable<'static>> {
        None
    }
}

/// A disk whose sector `n` begins with `n`, with a table of the partitions.
fn image() -> Vec<u8> {
    let mut image = vec![0; 300 * SECTOR];
    for (n, sector) in image.chunks_mut(SECTOR).enumerate() {
        sector[..8].copy_from_slice(&(n as u64).to_le_bytes());
    }
    let mut entries = vec![0; 128 * 128];
    for (at, kind, first, count) in [
        (0, drivers_gpt::BASIC_DATA, FILES_AT, FILES),
        (1, drivers_gpt::CLOISTER_DATA, OWN_AT, OWN),
        (2, drivers_gpt::CLOISTER_VERSIONS, VERSIONS_AT, VERSIONS),
    ] {
        let entry = &mut entries[at * 128..][..128];
        entry[..16].copy_from_slice(&kind.0);
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&(first + count - 1).to_le_bytes());
    }
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let header = &mut image[SECTOR..][..SECTOR];
    header.fill(0);
    header[..16].copy_from_slice(b"EFI PART\0\0\x01\0\x5c\0\0\0");
    for (at, value) in [(24, 1u64), (40, 34), (48, 260), (72, 2)] {
        header[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    header[80..84].copy_from_slice(&128u32.to_le_bytes());
    header[84..88].copy_from_slice(&128u32.to_le_bytes());
    header[88..92].copy_from_slice(&crc.checksum(&entries).to_le_bytes());
    let sum = crc.checksum(&header[..92]);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    image[2 * SECTOR..][..entries.len()].copy_from_slice(&entries);
    image
}

type ClientLink = Link<ToStorage, ToClient>;

/// A client's side of the world. `mine` is the raw region, for misbehaving.
struct Peer {
    link: ClientLink,
    theirs: Region,
    mine: Region,
    data: Readable<'static>,
}

impl Peer {
    fn say(&mut self, message: ToStorage) {
        self.link.send(&message).unwrap();
    }
    fn hear(&mut self) -> Vec<ToClient> {
        self.link.poll();
        core::iter::from_fn(|| self.link.receive().unwrap()).collect()
    }
    fn read(&mut self, id: u32, sector: u64, count: u32, offset: u32) {
        self.say(ToStorage::Read { id, partition: Partition::Files, sector, count, offset });
    }
    fn restart(&mut self, channel: Channel) {
        self.link = Link::start(self.mine.writable(), self.theirs.readable(), channel);
    }
    fn word(&self, offset: usize) -> u64 {
        self.data.load(offset / 8, core::sync::atomic::Ordering::Relaxed)
    }
}

struct System {
    kernel: Rc<Kernel>,
    disk: FakeDisk,
    storage: Storage<FakeDisk>,
    loader: Peer,
    retriever: Peer,
    supervisor: Peer,
    /// Written by the retriever.
    writes: Writable<'static>,
    /// Written by the supervisor.
    account: Writable<'static>,
}

fn peer(channel: Channel, data: Readable<'static>) -> (Peer, Link<ToClient, ToStorage>) {
    let (mine, theirs) = (Region::new(16 * 1024), Region::new(16 * 1024));
    let link = Link::start(mine.writable(), theirs.readable(), channel);
    (Peer { link, theirs, mine, data }, Link::start(theirs.writable(), mine.readable(), channel))
}

impl System {
    fn new(image: Vec<u8>) -> Self {
        let kernel = Rc::new(Kernel::default());
        enter(kernel.clone(), || Self::wire(kernel.clone(), image))
    }

    fn wire(kernel: Rc<Kernel>, image: Vec<u8>) -> Self {
        let [loader_data, retriever_data, writes, read, account] = [(); 5].map(|()| Region::new(DATA));
        let areas = [
            Memory::None,
            Memory::Into(loader_data.writable()),
            Memory::Into(retriever_data.writable()),
            Memory::From(writes.readable()),
            Memory::Into(read.writable()),
            Memory::From(account.readable()),
        ];
        let disk = FakeDisk::new(image, areas);
        let (mut loader, loader_link) = peer(LOADER, loader_data.readable());
        let (mut retriever, retriever_link) = peer(RETRIEVER, retriever_data.readable());
        let (mut supervisor, supervisor_link) = peer(SUPERVISOR, read.readable());
        let clients = [
            ClientWiring {
                link: loader_link,
                reads: (Area(1), DATA),
                writes: None,
                own: None,
                files: FileRights::Sectors,
            },
            ClientWiring {
                link: retriever_link,
                reads: (Area(2), DATA),
                writes: Some((Area(3), DATA)),
                own: Some(Partition::Data),
                files: FileRights::Folders,
            },
            ClientWiring {
                link: supervisor_link,
                reads: (Area(4), DATA),
                writes: Some((Area(5), DATA)),
                own: Some(Partition::Versions),
                files: FileRights::Nothing,
            },
        ];
        let storage = Storage::new(Some(disk.clone()), clients);
        loader.link.poll();
        retriever.link.poll();
        supervisor.link.poll();
        let (writes, account) = (writes.writable(), account.writable());
        Self { kernel, disk, storage, loader, retriever, supervisor, writes, account }
    }

    fn signal(&mut self, channel: Channel) {
        enter(self.kernel.clone(), || {
            self.storage.notified(ChannelSet::from_bits(1 << channel.id())).unwrap();
        });
    }

    /// Lets the device do everything, and storage notice.
    fn settle(&mut self) {
        self.signal(LOADER);
        while self.disk.finish_all() > 0 {
            self.signal(IRQ);
        }
    }

    /// The first time that the timer signals, there was progress since the timeout was set; the second time not.
    fn wait_in_vain(&mut self) {
        for _ in 0..2 {
            self.kernel.now.set(self.kernel.now.get() + PATIENCE);
            self.signal(TIMER);
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        enter(self.kernel.clone(), || act(self))
    }

    fn ask(&mut self, message: ToStorage) -> Vec<ToClient> {
        self.with(|system| system.loader.say(message));
        self.settle();
        self.with(|system| system.loader.hear())
    }

    fn ask_retriever(&mut self, message: ToStorage) -> Vec<ToClient> {
        self.with(|system| system.retriever.say(message));
        self.settle();
        self.with(|system| system.retriever.hear())
    }

    fn ask_supervisor(&mut self, message: ToStorage) -> Vec<ToClient> {
        self.with(|system| system.supervisor.say(message));
        self.settle();
        self.with(|system| system.supervisor.hear())
    }
}

fn ready() -> System {
    let mut system = System::new(image());
    system.settle();
    system
}

fn done(id: u32, outcome: Outcome) -> Vec<ToClient> {
    vec![ToClient::Done { id, outcome }]
}

#[test]
fn each_client_sees_its_partitions_only() {
    let mut system = ready();
    let loader = system.ask(ToStorage::Describe);
    assert_eq!(loader, [ToClient::Description { device: true, files: FILES, data: 0, versions: 0 }]);
    let retriever = system.ask_retriever(ToStorage::Describe);
    assert_eq!(retriever, [ToClient::Description { device: true, files: FILES, data: OWN, versions: 0 }]);
    let data = Partition::Data;
    let read = ToStorage::Read { id: 1, partition: data, sector: 0, count: 1, offset: 0 };
    assert_eq!(system.ask(read.clone()), done(1, Outcome::Refused));
    let sector = ToStorage::Read { id: 2, partition: Partition::Files, sector: 0, count: 1, offset: 0 };
    assert_eq!(system.ask_retriever(sector), done(2, Outcome::Refused), "it gets files, not sectors");
    assert_eq!(
        system.ask(ToStorage::NextEntry { id: 3 }),
        done(3, Outcome::Refused),
        "and the loader no files"
    );
    assert_eq!(system.ask_retriever(read), done(1, Outcome::Ok));
    assert_eq!(system.retriever.word(0), OWN_AT);
}

#[test]
fn requests_before_the_table_is_read_wait_for_it() {
    let mut system = System::new(image());
    system.with(|system| system.loader.read(5, 3, 1, 1024));
    system.signal(LOADER);
    assert!(system.with(|system| system.loader.hear()).is_empty());
    system.settle();
    assert_eq!(system.with(|system| system.loader.hear()), done(5, Outcome::Ok));
    assert_eq!(system.loader.word(1024), FILES_AT + 3);
}

#[test]
fn ranges_are_checked_against_partition_and_region() {
    let mut system = ready();
    let cases = [
        (FILES - 1, 1, 0, Outcome::Ok),
        (FILES - 1, 2, 0, Outcome::Refused),
        (FILES, 1, 0, Outcome::Refused),
        (u64::MAX, 1, 0, Outcome::Refused),
        (u64::MAX - 10, u32::MAX, 0, Outcome::Refused),
        (0, 0, 0, Outcome::Refused),
        (0, 1, DATA as u32 - 512, Outcome::Ok),
        (0, 2, DATA as u32 - 512, Outcome::Refused),
        (0, 1, u32::MAX - 511, Outcome::Refused),
        (0, 1, 100, Outcome::Refused),
    ];
    for (id, (sector, count, offset, outcome)) in (0..).zip(cases) {
        let message = ToStorage::Read { id, partition: Partition::Files, sector, count, offset };
        assert_eq!(system.ask(message.clone()), done(id, outcome), "{message:?}");
    }
}

#[test]
fn only_a_client_with_rights_writes_and_only_to_the_data_partition() {
    let mut system = ready();
    let write = |partition, id| ToStorage::Write { id, partition, sector: 2, count: 1, offset: 512 };
    assert_eq!(system.ask(write(Partition::Data, 1)), done(1, Outcome::Refused));
    assert_eq!(system.ask(ToStorage::Flush { id: 2 }), done(2, Outcome::Refused));
    assert_eq!(system.ask_retriever(write(Partition::Files, 3)), done(3, Outcome::Refused));
    system.writes.copy_in(512, b"passages");
    assert_eq!(system.ask_retriever(write(Partition::Data, 4)), done(4, Outcome::Ok));
    assert_eq!(system.ask_retriever(ToStorage::Flush { id: 5 }), done(5, Outcome::Ok));
    let state = system.disk.state();
    assert_eq!(&state.image[(OWN_AT as usize + 2) * SECTOR..][..8], b"passages");
    assert_eq!(state.flushes, 1);
}

#[test]
fn the_supervisor_has_the_partition_of_versions_for_itself() {
    let mut system = ready();
    let described = ToClient::Description { device: true, files: FILES, data: 0, versions: VERSIONS };
    assert_eq!(system.ask_supervisor(ToStorage::Describe), [described]);
    let write = |partition| ToStorage::Write { id: 1, partition, sector: 8, count: 2, offset: 0 };
    let read = |partition| ToStorage::Read { id: 1, partition, sector: 8, count: 2, offset: 0 };
    let folder = ToStorage::OpenFolder {
        id: 1,
        folder: ipc_protocol::storage::Folder::Documents,
        path: ipc_protocol::storage::Path::default(),
    };
    let others = [read(Partition::Files), read(Partition::Data), write(Partition::Files), folder];
    for message in others.into_iter().chain([write(Partition::Data)]) {
        assert_eq!(system.ask_supervisor(message.clone()), done(1, Outcome::Refused), "{message:?}");
    }
    for message in [read(Partition::Versions), write(Partition::Versions)] {
        assert_eq!(system.ask(message.clone()), done(1, Outcome::Refused), "the loader: {message:?}");
        assert_eq!(system.ask_retriever(message.clone()), done(1, Outcome::Refused), "{message:?}");
    }
    system.account.copy_in(0, b"versions");
    assert_eq!(system.ask_supervisor(write(Partition::Versions)), done(1, Outcome::Ok));
    assert_eq!(system.ask_supervisor(ToStorage::Flush { id: 2 }), done(2, Outcome::Ok));
    let at = (VERSIONS_AT as usize + 8) * SECTOR;
    assert_eq!(&system.disk.state().image[at..][..8], b"versions");
    assert_eq!(system.ask_supervisor(read(Partition::Versions)), done(1, Outcome::Ok));
    assert_eq!(system.supervisor.word(0), u64::from_le_bytes(*b"versions"));
    let beyond = ToStorage::Write { id: 3, partition: Partition::Versions, sector: 9, count: 2, offset: 0 };
    assert_eq!(system.ask_supervisor(beyond), done(3, Outcome::Refused));
}

#[test]
fn several_requests_are_under_way_and_the_ninth_is_told_so() {
    let mut system = ready();
    system.with(|system| (0..9).for_each(|id| system.loader.read(id, u64::from(id), 1, 512 * id)));
    system.signal(LOADER);
    assert_eq!(system.disk.state().pending.len(), MAX_IN_FLIGHT);
    assert_eq!(system.with(|system| system.loader.hear()), done(8, Outcome::Busy));
    for index in [7, 2, 5, 0, 0, 1, 1, 0] {
        assert!(system.disk.finish(index));
        system.signal(IRQ);
    }
    let heard = system.with(|system| system.loader.hear());
    assert_eq!(heard.len(), MAX_IN_FLIGHT);
    (0..8).for_each(|id| assert_eq!(system.loader.word(512 * id), FILES_AT + id as u64));
}

#[test]
fn a_device_error_ends_that_request_only() {
    let mut system = ready();
    system.disk.state().bad = FILES_AT + 10..FILES_AT + 11;
    system.with(|system| (9..12).for_each(|id| system.loader.read(id, u64::from(id), 1, 0)));
    system.settle();
    let outcomes = [(9, Outcome::Ok), (10, Outcome::DeviceError), (11, Outcome::Ok)];
    let expected = outcomes.map(|(id, outcome)| ToClient::Done { id, outcome });
    assert_eq!(system.with(|system| system.loader.hear()), expected);
}

#[test]
fn without_a_device_or_a_table_everything_says_so() {
    let kernel = Rc::new(Kernel::default());
    let (mut loader, link) = enter(kernel.clone(), || peer(LOADER, Region::new(DATA).readable()));
    enter(kernel.clone(), || {
        let wiring = ClientWiring {
            link,
            reads: (Area(1), DATA),
            writes: None,
            own: None,
            files: FileRights::Sectors,
        };
        let mut storage = Storage::<FakeDisk>::new(None, [wiring]);
        loader.link.poll();
        loader.say(ToStorage::Describe);
        loader.read(1, 0, 1, 0);
        storage.notified(ChannelSet::from_bits(1 << 7)).unwrap();
        let nothing = ToClient::Description { device: false, files: 0, data: 0, versions: 0 };
        let refused = ToClient::Done { id: 1, outcome: Outcome::NoDevice };
        assert_eq!(loader.hear(), [nothing, refused]);
    });
    let mut system = System::new(vec![0x5a; 300 * SECTOR]);
    system.settle();
    let empty = [ToClient::Description { device: true, files: 0, data: 0, versions: 0 }];
    assert_eq!(system.ask(ToStorage::Describe), empty);
    assert_eq!(system.storage.disk.table_state(), 3);
}

#[test]
fn a_restarted_client_finds_no_old_answers_and_no_old_data_arriving() {
    let mut system = ready();
    system.with(|system| (0..4).for_each(|id| system.loader.read(id, u64::from(id), 1, 0)));
    system.signal(LOADER);
    system.with(|system| {
        system.loader.restart(LOADER);
        system.loader.link.poll();
    });
    system.signal(LOADER);
    system.with(|system| {
        assert_eq!(system.loader.link.poll(), LinkState::Up);
        system.loader.read(77, 50, 1, 0);
    });
    system.signal(LOADER);
    assert_eq!(system.disk.state().pending.len(), 4, "the new life waits for the old one's reads");
    system.settle();
    assert_eq!(system.with(|system| system.loader.hear()), done(77, Outcome::Ok));
    assert_eq!(system.loader.word(0), FILES_AT + 50);
}

#[test]
fn a_client_that_breaks_the_protocol_is_ignored_and_the_other_is_served() {
    use core::sync::atomic::Ordering::Relaxed;
    let mut system = ready();
    system.loader.mine.writable().store(ipc_ring::layout::TAIL, 1 << 40, Relaxed);
    system.signal(LOADER);
    assert_eq!(system.storage.misbehaved, 1);
    let read = |partition| ToStorage::Read { id: 1, partition, sector: 0, count: 1, offset: 0 };
    assert_eq!(system.ask_retriever(read(Partition::Data)), done(1, Outcome::Ok));
    system.signal(LOADER);
    assert_eq!(system.storage.misbehaved, 1, "counted once, then not looked at");
    system.with(|system| {
        system.loader.restart(LOADER);
        system.loader.link.poll();
    });
    system.signal(LOADER);
    system.with(|system| system.loader.link.poll());
    assert_eq!(
        system.ask(read(Partition::Files)),
        done(1, Outcome::Ok),
        "a restarted client is served again"
    );
}

#[test]
fn junk_in_a_slot_is_misbehaviour_not_a_panic() {
    let mut system = ready();
    system.with(|system| system.loader.read(1, 0, 1, 0));
    for word in 64..96 {
        system.loader.mine.writable().store(
            word,
            0xffff_ffff_ffff_ffff,
            core::sync::atomic::Ordering::Relaxed,
        );
    }
    system.signal(LOADER);
    assert_eq!(system.storage.misbehaved, 1);
}

#[test]
fn a_client_that_does_not_take_its_answers_holds_up_nobody() {
    let mut system = ready();
    system.with(|system| while system.loader.link.send(&ToStorage::Describe) != Err(LinkError::Full) {});
    for _ in 0..4 {
        system.signal(LOADER);
        system.with(|system| while system.loader.link.send(&ToStorage::Describe) != Err(LinkError::Full) {});
    }
    let read = |partition| ToStorage::Read { id: 1, partition, sector: 0, count: 1, offset: 0 };
    assert_eq!(system.ask_retriever(read(Partition::Data)), done(1, Outcome::Ok));
    assert!(system.with(|system| system.loader.hear()).len() >= 32);
    system.signal(LOADER);
    assert!(!system.with(|system| system.loader.hear()).is_empty(), "the rest comes when there is room");
}

#[test]
fn a_silent_device_is_reset_and_its_requests_fail() {
    let mut system = ready();
    system.with(|system| (0..3).for_each(|id| system.loader.read(id, 0, 1, 0)));
    system.signal(LOADER);
    assert!(system.kernel.timeouts.get() > 0);
    system.wait_in_vain();
    let failed = [0, 1, 2].map(|id| ToClient::Done { id, outcome: Outcome::DeviceError });
    assert_eq!(system.with(|system| system.loader.hear()), failed);
    assert_eq!(system.disk.state().resets, 1);
    system.settle();
    let read = ToStorage::Read { id: 9, partition: Partition::Files, sector: 4, count: 1, offset: 0 };
    assert_eq!(system.ask(read), done(9, Outcome::Ok), "the device works again");
}

#[test]
fn a_device_that_is_gone_is_given_up() {
    let mut system = ready();
    system.disk.state().gone = true;
    system.with(|system| system.loader.read(1, 0, 1, 0));
    system.signal(LOADER);
    system.wait_in_vain();
    assert_eq!(system.with(|system| system.loader.hear()), done(1, Outcome::DeviceError));
    let read = ToStorage::Read { id: 2, partition: Partition::Files, sector: 0, count: 1, offset: 0 };
    assert_eq!(system.ask(read), done(2, Outcome::NoDevice));
}

#[test]
fn a_device_that_answers_what_nobody_asked_is_reset() {
    let mut system = ready();
    system.with(|system| system.loader.read(1, 0, 1, 0));
    system.signal(LOADER);
    system.disk.state().broken = true;
    system.signal(IRQ);
    assert_eq!(system.with(|system| system.loader.hear()), done(1, Outcome::DeviceError));
    assert_eq!(system.disk.state().resets, 1);
}
