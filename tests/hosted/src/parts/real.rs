//! The real PDs, wired as their `main.rs` wires them.

use crate::parts::alarm::{Alarm, AlarmComparator};
use crate::parts::disk::{Disk, Driver, Place};
use crate::parts::terminal::{Line, Screen};
use crate::program::{Init, program};
use crate::wiring::Wiring;
use drivers_block::Area;
use inference_model::Kernels;
use ipc_link::Link;
use ipc_pd::{Channel, has_notify_channel};
use ipc_protocol::storage::Partition;
use pds_compute::{Compute, Crew, Follower, Leader, Memory};
use pds_console::Console;
use pds_loader::Loader;
use pds_retriever::{Means, Port, Retriever};
use pds_session::Session;
use pds_storage::{ClientWiring, FileRights, Storage};
use pds_timer::Timer;
use pds_trainer::Trainer;
use std::sync::Arc;

/// Time that the leader waits for a worker at a barrier.
const WAIT_MICROS: u64 = 10_000_000;

/// The timer, over the hosted system's clock.
pub fn timer(alarm: Arc<Alarm>) -> Init {
    program(move |_| {
        Timer::<_, drivers_pl031::Pl031<memory_mmio::Mmio<'static>>>::new(
            AlarmComparator(alarm.clone()),
            None,
        )
    })
}

/// The console, at a terminal.
pub fn console(screen: Arc<Screen>) -> Init {
    program(move |wiring| {
        let (mine, theirs) = wiring.link("console_to_session", "session_to_console").expect("wired");
        let session = Link::start(mine, theirs, pds_console::SESSION);
        let (mine, theirs) = wiring.link("console_to_supervisor", "supervisor_to_console").expect("wired");
        let supervisor = Link::start(mine, theirs, pds_console::SUPERVISOR);
        Console::new(Line(screen.clone()), session, supervisor, pds_console::TIMER, wiring.sealed("platform"))
    })
}

/// The session.
pub fn session() -> Init {
    program(|wiring| {
        let (mine, theirs) = wiring.link("session_to_console", "console_to_session").expect("wired");
        let console = Link::start(mine, theirs, pds_session::CONSOLE);
        let (mine, theirs) = wiring.link("session_to_supervisor", "supervisor_to_session").expect("wired");
        let supervisor = Link::start(mine, theirs, pds_session::SUPERVISOR);
        let (mine, theirs) = wiring.link("session_to_compute", "compute_to_session").expect("wired");
        let compute = Link::start(mine, theirs, pds_session::COMPUTE);
        let vocabulary = wiring.sealed("vocabulary").expect("wired");
        let (mine, theirs) = wiring.link("session_to_retriever", "retriever_to_session").expect("wired");
        let retriever = Link::start(mine, theirs, pds_session::RETRIEVER);
        let session = Session::new(console, supervisor, compute, vocabulary, pds_session::TIMER);
        let (mine, theirs) = wiring.link("session_to_trainer", "trainer_to_session").expect("wired");
        session.with_peers(Some(retriever), Some(Link::start(mine, theirs, pds_session::TRAINER)))
    })
}

/// The retriever, with a heap of so many bytes.
pub fn retriever(heap: usize) -> Init {
    program(move |wiring| {
        let (mine, theirs) = wiring.link("retriever_to_storage", "storage_to_retriever").expect("wired");
        let storage = Link::start(mine, theirs, pds_retriever::STORAGE);
        let reads = wiring.readable("storage_to_retriever_data").expect("wired");
        let writes = wiring.writable("retriever_to_storage_data").expect("wired");
        let (mine, theirs) = wiring.link("retriever_to_session", "session_to_retriever").expect("wired");
        let session = Link::start(mine, theirs, pds_retriever::SESSION);
        let (mine, theirs) =
            wiring.link("retriever_to_supervisor", "supervisor_to_retriever").expect("wired");
        let supervisor = Some(Link::start(mine, theirs, pds_retriever::SUPERVISOR));
        let weights = wiring.exclusive("embedding_weights");
        let (port, kernels) = (Port::new(storage, reads, writes), Kernels::generic());
        let adapters = wiring.readable("trainer_adapter").zip(wiring.writable("retriever_adapter"));
        Retriever::new(Means { session, supervisor, port, weights, kernels, heap }).with_adapters(adapters)
    })
}

/// The trainer, with a heap of so many bytes.
pub fn trainer(heap: usize) -> Init {
    program(move |wiring| {
        let (mine, theirs) = wiring.link("trainer_to_session", "session_to_trainer").expect("wired");
        let session = Link::start(mine, theirs, pds_trainer::SESSION);
        let weights = wiring.sealed("weights").expect("wired");
        let adapter = wiring.writable("trainer_adapter").expect("wired");
        Trainer::new(pds_trainer::Means { session, weights, adapter, kernels: Kernels::generic(), heap })
    })
}

/// The loader.
pub fn loader() -> Init {
    program(|wiring| {
        let (mine, theirs) = wiring.link("loader_to_supervisor", "supervisor_to_loader").expect("wired");
        let supervisor = Link::start(mine, theirs, pds_loader::SUPERVISOR);
        let (mine, theirs) = wiring.link("loader_to_storage", "storage_to_loader").expect("wired");
        let storage = Link::start(mine, theirs, pds_loader::STORAGE);
        let data = wiring.readable("storage_to_loader_data").expect("wired");
        let weights = wiring.exclusive("weights").expect("the loader is their only writer");
        let vocabulary = wiring.exclusive("vocabulary").expect("the loader is its only writer");
        let policy = wiring.sealed("model_policy").expect("wired");
        Loader::new(supervisor, storage, data, pds_loader::Memory { weights, vocabulary }, policy)
    })
}

/// Storage, over a disk; `None`: the machine has none.
pub fn storage(disk: Option<Arc<Disk>>) -> Init {
    program(move |wiring| {
        let into = |client: &str| wiring.writable(&format!("storage_to_{client}_data")).expect("wired");
        let from = |client: &str| wiring.readable(&format!("{client}_to_storage_data")).expect("wired");
        let reads = ["loader", "retriever", "supervisor"].map(into);
        let writes = ["retriever", "supervisor"].map(from);
        let clients = clients(
            wiring,
            reads.each_ref().map(|area| area.words() * 8),
            writes.map(|area| area.words() * 8),
        );
        let [loader, retriever, supervisor] = reads.map(Place::Into);
        let [from_retriever, from_supervisor] = writes.map(Place::From);
        let places = [loader, retriever, from_retriever, supervisor, from_supervisor];
        Storage::new(disk.clone().map(|disk| Driver::new(disk, places)), clients)
    })
}

/// With the sizes of their regions.
fn clients(wiring: &Wiring, reads: [usize; 3], writes: [usize; 2]) -> [ClientWiring; 3] {
    let client = |name: &str, channel, files| {
        let regions = wiring.link(&format!("storage_to_{name}"), &format!("{name}_to_storage"));
        let (mine, theirs) = regions.expect("wired");
        let link = Link::start(mine, theirs, channel);
        ClientWiring { link, reads: (Area(0), 0), writes: None, own: None, files }
    };
    let [loader, retriever, supervisor] = reads;
    let [from_retriever, from_supervisor] = writes;
    [
        ClientWiring {
            reads: (Area(1), loader),
            ..client("loader", pds_storage::LOADER, FileRights::Sectors)
        },
        ClientWiring {
            reads: (Area(2), retriever),
            writes: Some((Area(3), from_retriever)),
            own: Some(Partition::Data),
            ..client("retriever", pds_storage::RETRIEVER, FileRights::Folders)
        },
        ClientWiring {
            reads: (Area(4), supervisor),
            writes: Some((Area(5), from_supervisor)),
            own: Some(Partition::Versions),
            ..client("supervisor", pds_storage::SUPERVISOR, FileRights::Nothing)
        },
    ]
}

/// Compute or one of its workers, by the PD's name.
pub fn compute() -> Init {
    program(|wiring| {
        let weights = wiring.sealed("weights").expect("wired");
        let cache = wiring.exclusive("kv_cache").expect("wired");
        let activations = wiring.exclusive("activations").expect("wired");
        let memory = Memory::new(cache, activations).expect("pages are aligned");
        let kernels = Kernels::generic();
        let boxes = ["outbox_0", "outbox_1", "outbox_2", "outbox_3"];
        let boxes: Vec<_> = boxes.into_iter().map_while(|symbol| wiring.words(symbol)).collect();
        match wiring.name().strip_prefix("compute_").and_then(|number| number.parse().ok()) {
            Some(number) => {
                let (mine, theirs) = wiring.link("to_leader", "from_leader").expect("wired");
                let link = (Link::start(mine, theirs, pds_compute::LEADER), theirs);
                let follower = Follower::new(link, boxes, number, weights, kernels, memory);
                Compute::Follower(follower.with_adapters(wiring.readable("retriever_adapter")))
            }
            None => {
                let crew = Crew::new(workers(wiring), boxes, WAIT_MICROS);
                let leader = leader(wiring, crew, weights, kernels, memory);
                Compute::Leader(leader.with_adapters(wiring.readable("retriever_adapter")))
            }
        }
    })
}

fn workers(wiring: &Wiring) -> Vec<pds_compute::WorkerLink> {
    let region = |number: usize, channel: Channel| {
        let link = wiring.link(&format!("to_worker_{number}"), &format!("from_worker_{number}"))?;
        Some((link, channel)).filter(|_| has_notify_channel(channel))
    };
    let links = (1..).zip(pds_compute::WORKERS).map_while(|(number, channel)| region(number, channel));
    links.map(|((mine, theirs), channel)| (Link::start(mine, theirs, channel), theirs).into()).collect()
}

fn leader(wiring: &Wiring, crew: Crew, weights: &'static [u8], kernels: Kernels, memory: Memory) -> Leader {
    let (mine, theirs) = wiring.link("compute_to_session", "session_to_compute").expect("wired");
    let session = Link::start(mine, theirs, pds_compute::SESSION);
    let (mine, theirs) = wiring.link("compute_to_supervisor", "supervisor_to_compute").expect("wired");
    let supervisor = Link::start(mine, theirs, pds_compute::SUPERVISOR);
    Leader::new((session, supervisor), crew, weights, kernels, memory)
}
