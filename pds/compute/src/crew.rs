//! The leader's side of its workers: who is there, who is ready, who follows.

use crate::loaded::CACHES;
use crate::watch::Watch;
use crate::{MAX_WORKERS, Memory};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use inference_model::{CacheKind, Config, Model, Needs, Team};
use ipc_link::{Link, LinkState};
use ipc_protocol::adapter::Place;
use ipc_protocol::compute_worker::{ToCompute, ToWorker};
use ipc_protocol::supervisor_compute::Sealed;
use memory_region::Readable;

/// A link to one worker.
pub struct WorkerLink {
    /// The link.
    pub link: Link<ToWorker, ToCompute>,
    /// The region in which the worker sends, to be watched while waiting.
    pub region: Readable<'static>,
}

struct Worker {
    link: Link<ToWorker, ToCompute>,
    room: Option<Needs>,
    ready: bool,
    excluded: bool,
    released: bool,
}

/// All workers on other cores.
pub struct Crew {
    workers: Vec<Worker>,
    boxes: &'static [&'static [AtomicU32]],
    watch: &'static Watch,
    round: u32,
    active: usize,
    working: bool,
    /// The team must be set up again.
    pub disturbed: bool,
}

impl Crew {
    /// `boxes[0]` is the leader's outbox; the links are those of workers 1, 2 …. Called once in a PD's life: what
    /// it leaks is small and fixed.
    pub fn new(links: Vec<WorkerLink>, boxes: Vec<&'static [AtomicU32]>, wait_limit_micros: u64) -> Self {
        let regions: Vec<_> = links.iter().map(|worker| worker.region).collect();
        let watch = Box::leak(Box::new(Watch::new(&regions, Some(wait_limit_micros))));
        let workers = links.into_iter().map(|worker| Worker {
            link: worker.link,
            room: None,
            ready: false,
            excluded: false,
            released: true,
        });
        let boxes: &'static [_] = Vec::leak(boxes);
        let workers = workers.take(boxes.len().saturating_sub(1).min(MAX_WORKERS - 1)).collect();
        Self { workers, boxes, watch, round: 0, active: 0, working: false, disturbed: false }
    }

    /// Takes in what workers say.
    pub fn poll(&mut self) {
        for (index, worker) in self.workers.iter_mut().enumerate() {
            let in_team = index < self.active;
            if worker.link.poll() == LinkState::PeerStarted {
                self.disturbed |= in_team;
                (worker.room, worker.ready, worker.excluded, worker.released) = (None, false, false, true);
            }
            while let Ok(Some(message)) = worker.link.receive() {
                let current = |round: u32| round == self.round;
                match message {
                    ToCompute::Hello { cache, scratch, outbox } => {
                        let [cache, scratch, outbox] = [cache, scratch, outbox].map(|bytes| bytes as usize);
                        worker.room = Some(Needs { cache, scratch: scratch / 4, outbox: outbox / 4 });
                        self.disturbed = true;
                    }
                    ToCompute::Ready { round } if current(round) => worker.ready = true,
                    ToCompute::Failed { round, .. } if current(round) => worker.excluded = true,
                    ToCompute::Lost { round } if current(round) => self.disturbed = true,
                    ToCompute::Released => worker.released = true,
                    _ => {}
                }
            }
        }
    }

    /// Workers that can take part, the leader included: those present without a gap.
    pub fn available(&self) -> usize {
        1 + self.workers.iter().take_while(|worker| worker.room.is_some() && !worker.excluded).count()
    }

    /// The largest configuration for `workers` workers that fits everybody's regions.
    pub fn fit(&self, model: &Model<'_>, memory: &Memory, workers: usize) -> Option<Config> {
        let outbox = self.boxes.first().map_or(0, |own| own.len());
        let own = Needs { cache: memory.cache.len(), scratch: memory.scratch.len(), outbox };
        let others = self.workers.iter().filter_map(|worker| worker.room);
        let rooms: Vec<Needs> = core::iter::once(own).chain(others).take(workers).collect();
        CACHES.iter().find_map(|cache| {
            let config = model.fit(*cache, &rooms).ok()?;
            let enough = config.context == model.hyper.context || *cache == CACHES[CACHES.len() - 1];
            enough.then_some(config)
        })
    }

    /// Begins a round: every worker of the team is told to set up.
    pub fn set_up(&mut self, sealed: &Sealed, adapter: Option<Place>, config: &Config) {
        self.round = self.round.wrapping_add(1);
        self.active = config.workers - 1;
        self.working = false;
        self.disturbed = false;
        if let Some(own) = self.boxes.first().and_then(|own| own.first()) {
            own.store(0, Relaxed);
        }
        for (index, worker) in self.workers.iter_mut().enumerate().take(self.active) {
            (worker.ready, worker.released) = (false, false);
            let order = ToWorker::Setup {
                round: self.round,
                sealed: *sealed,
                index: index as u32 + 1,
                workers: config.workers as u32,
                context: config.context as u32,
                batch: config.batch as u32,
                full_precision: config.cache == CacheKind::F32,
                adapter,
            };
            worker.excluded |= worker.link.send(&order).is_err();
        }
    }

    /// Whether every worker of the team is ready; `None` when one of them will not be.
    pub fn ready(&self) -> Option<bool> {
        let mut team = self.workers.iter().take(self.active);
        if team.clone().any(|worker| worker.excluded || worker.room.is_none()) {
            return None;
        }
        Some(team.all(|worker| worker.ready))
    }

    /// Leaves out workers of the team that did not get ready.
    pub fn exclude_late(&mut self) {
        for worker in self.workers.iter_mut().take(self.active) {
            worker.excluded |= !worker.ready;
        }
    }

    /// The leader's place in the team.
    pub fn team(&self) -> Team<'static> {
        match self.active {
            0 => Team::alone(),
            others => Team::new(0, &self.boxes[..=others], self.watch),
        }
    }

    /// Workers in the team, the leader included.
    pub fn size(&self) -> usize {
        self.active + 1
    }

    /// Makes the workers follow. Call before each step.
    pub fn work(&mut self) {
        if self.working {
            return;
        }
        for worker in self.workers.iter_mut().take(self.active) {
            self.disturbed |= worker.link.send(&ToWorker::Work).is_err();
        }
        self.watch.settle(self.active);
        self.working = true;
    }

    /// Whether the workers follow, so that they must be told to stop before a rest.
    pub fn is_working(&self) -> bool {
        self.working && self.active > 0
    }

    /// The workers were told to stop.
    pub fn rested(&mut self) {
        self.working = false;
    }

    /// Tells every worker to drop the model.
    pub fn release(&mut self) {
        for worker in &mut self.workers {
            worker.released |= worker.link.send(&ToWorker::Release).is_err();
        }
        self.active = 0;
    }

    /// Whether no worker uses the model any more.
    pub fn released(&self) -> bool {
        self.workers.iter().all(|worker| worker.released)
    }
}
