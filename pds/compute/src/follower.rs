//! A worker on another core: sets up when it is told, follows the leader, drops everything when it is told.

use crate::crew::WorkerLink;
use crate::loaded::{self, LoadedWorker, Memory};
use crate::watch::Watch;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use inference_model::{CacheKind, Config, Kernels, Team};
use ipc_link::{Link, LinkState};
use ipc_pd::health;
use ipc_protocol::Piece;
use ipc_protocol::adapter::Place;
use ipc_protocol::compute_worker::{ToCompute, ToWorker};
use ipc_protocol::supervisor_compute::Sealed;
use memory_region::Readable;

/// A worker's state.
pub struct Follower {
    link: Link<ToCompute, ToWorker>,
    boxes: &'static [&'static [AtomicU32]],
    weights: &'static [u8],
    kernels: Kernels,
    watch: &'static Watch,
    memory: Option<Memory>,
    loaded: Option<LoadedWorker>,
    round: u32,
    greet: bool,
    room: [u64; 3],
    adapters: Option<Readable<'static>>,
}

impl Follower {
    /// `boxes` are all outboxes by worker number, `own` this worker's; `region` is the one in which the leader sends.
    pub fn new(
        (link, region): (Link<ToCompute, ToWorker>, Readable<'static>),
        boxes: Vec<&'static [AtomicU32]>,
        own: usize,
        weights: &'static [u8],
        kernels: Kernels,
        memory: Memory,
    ) -> Self {
        let outbox = boxes.get(own).map_or(0, |own| own.len() as u64 * 4);
        let room = [memory.cache.len() as u64, memory.scratch.len() as u64 * 4, outbox];
        let watch = Box::leak(Box::new(Watch::new(&[region], None)));
        let boxes = Vec::leak(boxes);
        Self {
            link,
            boxes,
            weights,
            kernels,
            watch,
            memory: Some(memory),
            loaded: None,
            round: 0,
            greet: true,
            room,
            adapters: None,
        }
    }

    /// With the region in which adapters lie.
    #[must_use]
    pub fn with_adapters(mut self, region: Option<Readable<'static>>) -> Self {
        self.adapters = region;
        self
    }

    /// Something happened on the leader's link.
    pub fn notified(&mut self) {
        if self.link.poll() == LinkState::PeerStarted {
            self.release();
            self.greet = true;
        }
        self.greet();
        while let Ok(Some(order)) = self.link.receive() {
            self.obey(&order);
        }
    }

    fn greet(&mut self) {
        let [cache, scratch, outbox] = self.room;
        if self.greet && self.link.send(&ToCompute::Hello { cache, scratch, outbox }).is_ok() {
            self.greet = false;
        }
    }

    fn obey(&mut self, order: &ToWorker) {
        match order {
            ToWorker::Setup { round, sealed, index, workers, context, batch, full_precision, adapter } => {
                self.round = *round;
                let [index, workers, context, batch] = [index, workers, context, batch].map(|n| *n as usize);
                let cache = if *full_precision { CacheKind::F32 } else { CacheKind::F16 };
                let config = Config { context, batch, workers, cache };
                let answer = match self.set_up(sealed, adapter.as_ref(), index, config) {
                    Ok(()) => ToCompute::Ready { round: *round },
                    Err(why) => ToCompute::Failed { round: *round, why: Piece::new(why.as_bytes()) },
                };
                self.say(&answer);
            }
            ToWorker::Work => self.follow(),
            ToWorker::Release => {
                self.release();
                self.say(&ToCompute::Released);
            }
        }
    }

    /// The leader takes every answer before it asks again, so there is always room; should there be none, the leader's
    /// deadline passes and it goes on without this worker.
    fn say(&mut self, answer: &ToCompute) {
        let _ = self.link.send(answer);
    }

    fn set_up(
        &mut self,
        sealed: &Sealed,
        place: Option<&Place>,
        index: usize,
        config: Config,
    ) -> Result<(), String> {
        self.release();
        let own = self.boxes.get(index).filter(|_| config.workers <= self.boxes.len());
        let own = own.ok_or("there is no outbox for this worker")?;
        if let Some(count) = own.first() {
            count.store(0, Relaxed);
        }
        let model = loaded::bind(self.weights, sealed)?;
        let adapter = place.map(|place| loaded::adapter(self.adapters, place, &model)).transpose()?;
        let team = Team::new(index, &self.boxes[..config.workers], self.watch);
        let memory = self.memory.take().ok_or_else(|| "the worker's memory is gone".to_string())?;
        match loaded::worker((model, adapter), config, self.kernels, team, memory) {
            Ok(loaded) => self.loaded = Some(loaded),
            Err((memory, why)) => {
                self.memory = Some(memory);
                return Err(why);
            }
        }
        Ok(())
    }

    fn follow(&mut self) {
        self.watch.settle(1);
        let Some(loaded) = &mut self.loaded else { return };
        let outcome = loaded.with_dependent_mut(|_, worker| {
            loop {
                health::beat();
                match worker.follow() {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        });
        if outcome.is_err() {
            self.say(&ToCompute::Lost { round: self.round });
        }
    }

    fn release(&mut self) {
        if let Some(loaded) = self.loaded.take() {
            let mut memory = loaded.release();
            memory.erase();
            self.memory = Some(memory);
        }
    }
}

impl From<(Link<ToWorker, ToCompute>, Readable<'static>)> for WorkerLink {
    fn from((link, region): (Link<ToWorker, ToCompute>, Readable<'static>)) -> Self {
        Self { link, region }
    }
}
