// SPDX-License-Identifier: MIT
//! A team of threads.
#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::atomic::AtomicU32;

use inference_model::{Adapter, Config, Engine, Kernels, Model, Pace, Team, Worker};

/// Memory of a team, allocated.
pub struct Host<'m> {
    model: &'m Model<'m>,
    config: Config,
    adapter: Option<&'m Adapter>,
    boxes: Vec<Vec<AtomicU32>>,
    memory: Vec<(Vec<u8>, Vec<f32>)>,
}

/// Lets other threads run: there may be more workers than cores.
struct Yield;

impl Pace for Yield {
    fn pause(&self, _: u32) -> bool {
        std::thread::yield_now();
        true
    }
}

impl<'m> Host<'m> {
    pub fn new(model: &'m Model<'m>, config: Config) -> Self {
        let needs: Vec<_> = (0..config.workers).map(|i| model.needs(&config, i).unwrap()).collect();
        let boxes = needs.iter().map(|n| (0..n.outbox).map(|_| AtomicU32::new(0)).collect()).collect();
        let memory = needs.iter().map(|n| (vec![0; n.cache], vec![0.0; n.scratch])).collect();
        Self { model, config, adapter: None, boxes, memory }
    }

    /// With an adapter.
    pub fn adapted(mut self, adapter: Option<&'m Adapter>) -> Self {
        self.adapter = adapter;
        self
    }

    /// Starts the followers, runs `lead` with the leader, and stops them.
    pub fn run<R>(&mut self, kernels: Kernels, lead: impl FnOnce(&mut Engine<'_, '_>) -> R) -> R {
        let boxes: Vec<&[AtomicU32]> = self.boxes.iter().map(Vec::as_slice).collect();
        let (model, config, adapter) = (self.model, self.config, self.adapter);
        std::thread::scope(|scope| {
            let mut memory = self.memory.iter_mut().enumerate();
            let (_, first) = memory.next().unwrap();
            for (index, (cache, scratch)) in memory {
                let boxes = &boxes;
                scope.spawn(move || {
                    let team = Team::new(index, boxes, &Yield);
                    let worker = Worker::new(model, config, kernels, team, cache, scratch).unwrap();
                    let mut worker = adapted(worker, adapter);
                    while worker.follow().unwrap() {}
                });
            }
            let team = if config.workers == 1 { Team::alone() } else { Team::new(0, &boxes, &Yield) };
            let worker = Worker::new(model, config, kernels, team, &mut first.0, &mut first.1).unwrap();
            let mut engine = Engine::new(adapted(worker, adapter)).unwrap();
            let result = lead(&mut engine);
            engine.stop().unwrap();
            result
        })
    }
}

fn adapted<'m, 'b>(worker: Worker<'m, 'b>, adapter: Option<&'m Adapter>) -> Worker<'m, 'b> {
    match adapter {
        Some(adapter) => worker.with_adapter(adapter).unwrap(),
        None => worker,
    }
}
