//! A model in use: the graph bound to the weights region, and the worker that computes with it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use inference_gguf::Gguf;
use inference_model::{Adapter, CacheKind, Config, Engine, Kernels, Model, ModelError, Team, Worker};
use ipc_protocol::adapter::{self, Place};
use ipc_protocol::supervisor_compute::Sealed;
use memory_region::Readable;
use self_cell::{MutBorrow, self_cell};
use zerocopy::FromBytes;

/// The regions a worker computes in.
pub struct Memory {
    /// Key-value cache.
    pub cache: &'static mut [u8],
    /// Activations and scratch memory.
    pub scratch: &'static mut [f32],
}

impl Memory {
    /// From the regions; `None` when the activations region is not aligned for `f32`, which a page always is.
    pub fn new(cache: &'static mut [u8], activations: &'static mut [u8]) -> Option<Self> {
        let usable = activations.len() / 4 * 4;
        let scratch = <[f32]>::mut_from_bytes(&mut activations[..usable]).ok()?;
        Some(Self { cache, scratch })
    }

    /// Overwrites both with zeros.
    pub fn erase(&mut self) {
        self.cache.fill(0);
        self.scratch.fill(0.0);
    }
}

/// What a worker borrows from.
pub struct Owner {
    model: Model<'static>,
    adapter: Option<Adapter>,
    memory: MutBorrow<Memory>,
}

type OwnEngine<'a> = Engine<'a, 'a>;
type OwnWorker<'a> = Worker<'a, 'a>;

self_cell!(
    /// The leader's model, engine and memory.
    pub struct LoadedEngine {
        owner: Owner,
        #[not_covariant]
        dependent: OwnEngine,
    }
);

self_cell!(
    /// A follower's model, worker and memory.
    pub struct LoadedWorker {
        owner: Owner,
        #[not_covariant]
        dependent: OwnWorker,
    }
);

/// Binds the sealed model in `weights`.
///
/// # Errors
/// What is wrong with it, for people.
pub fn bind(weights: &'static [u8], sealed: &Sealed) -> Result<Model<'static>, String> {
    let end = sealed.offset.checked_add(sealed.length);
    let range = end.and_then(|end| weights.get(sealed.offset as usize..end as usize));
    let file = range.ok_or("the sealed model lies outside the weights region")?;
    let gguf = Gguf::parse(file).map_err(|error| error.to_string())?;
    Model::bind(&gguf).map_err(|error| error.to_string())
}

/// The adapter at `place` of the region in which the retriever leaves them. It is copied out first; what was copied is
/// checked, so whatever happens to the region afterwards changes nothing.
///
/// # Errors
/// What is wrong with it, for people.
pub fn adapter(
    region: Option<Readable<'static>>,
    place: &Place,
    model: &Model<'_>,
) -> Result<Adapter, String> {
    let region = region.ok_or("this system has no place for adapters")?;
    let (start, length) = place.range().ok_or("there is no such place")?;
    let mut file = Vec::new();
    file.try_reserve_exact(length).map_err(|_| "there is no memory for it")?;
    file.resize(length, 0);
    region.copy_out(start, &mut file);
    if adapter::checksum(&file) != place.checksum {
        return Err("its checksum is not the one that was announced".into());
    }
    Adapter::read(&file, model).map_err(|error| error.to_string())
}

/// The leader's engine; on failure the memory comes back with the reason.
///
/// # Errors
/// What does not fit, for people.
pub fn engine(
    (model, adapter): (Model<'static>, Option<Adapter>),
    config: Config,
    kernels: Kernels,
    team: Team<'static>,
    memory: Memory,
) -> Result<LoadedEngine, (Memory, String)> {
    let owner = Owner { model, adapter, memory: MutBorrow::new(memory) };
    LoadedEngine::try_new_or_recover(owner, |owner| {
        let memory = owner.memory.borrow_mut();
        let worker = Worker::new(&owner.model, config, kernels, team, memory.cache, memory.scratch);
        let worker = worker.and_then(|worker| adapted(worker, &owner.adapter));
        worker.and_then(Engine::new).map_err(|error| error.to_string())
    })
    .map_err(|(owner, why)| (owner.memory.into_inner(), why))
}

/// A follower's worker; on failure the memory comes back with the reason.
///
/// # Errors
/// As [`engine`].
pub fn worker(
    (model, adapter): (Model<'static>, Option<Adapter>),
    config: Config,
    kernels: Kernels,
    team: Team<'static>,
    memory: Memory,
) -> Result<LoadedWorker, (Memory, String)> {
    let owner = Owner { model, adapter, memory: MutBorrow::new(memory) };
    LoadedWorker::try_new_or_recover(owner, |owner| {
        let memory = owner.memory.borrow_mut();
        Worker::new(&owner.model, config, kernels, team, memory.cache, memory.scratch)
            .and_then(|worker| adapted(worker, &owner.adapter))
            .map_err(|error| error.to_string())
    })
    .map_err(|(owner, why)| (owner.memory.into_inner(), why))
}

fn adapted<'m, 'b>(
    worker: Worker<'m, 'b>,
    adapter: &'m Option<Adapter>,
) -> Result<Worker<'m, 'b>, ModelError> {
    match adapter {
        Some(adapter) => worker.with_adapter(adapter),
        None => Ok(worker),
    }
}

impl LoadedEngine {
    /// Gives the memory back.
    pub fn release(self) -> Memory {
        self.into_owner().memory.into_inner()
    }
}

impl LoadedWorker {
    /// Gives the memory back.
    pub fn release(self) -> Memory {
        self.into_owner().memory.into_inner()
    }
}

/// How keys and values are kept, best first: F32 where the model's whole context fits the cache so, else F16.
pub const CACHES: [CacheKind; 2] = [CacheKind::F32, CacheKind::F16];
