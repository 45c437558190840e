// SPDX-License-Identifier: MIT
//! A team of threads with allocated memory: what protection domains and regions are on the booted system.

use std::path::Path;
use std::sync::atomic::AtomicU32;

use anyhow::{Context, Result, ensure};
use inference_gguf::Gguf;
use inference_model::{Config, CpuFeatures, Engine, Kernels, Model, Team, Worker};

use crate::bytes::Bytes;
use crate::park::{Lot, SpinThenPark};

/// The bytes of a file.
pub fn read(file: &Path) -> Result<Bytes> {
    Bytes::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Parses and binds a model.
pub fn bind<'a>(file: &Path, bytes: &'a [u8]) -> Result<(Gguf<'a>, Model<'a>)> {
    let gguf = Gguf::parse(bytes).with_context(|| format!("{} is not usable", file.display()))?;
    let model = Model::bind(&gguf).with_context(|| format!("{} is not usable", file.display()))?;
    Ok((gguf, model))
}

/// The kernels of this machine.
pub fn kernels() -> Kernels {
    Kernels::select(CpuFeatures::detect())
}

/// Allocates memory, starts the followers, runs `lead` with the leader, and stops them.
pub fn with_engine<R>(
    model: &Model<'_>,
    config: Config,
    lead: impl FnOnce(&mut Engine<'_, '_>) -> Result<R>,
) -> Result<R> {
    ensure!(config.workers > 0, "use at least one thread");
    let needs = (0..config.workers).map(|i| model.needs(&config, i)).collect::<Result<Vec<_>, _>>()?;
    let boxes: Vec<Vec<AtomicU32>> =
        needs.iter().map(|n| (0..n.outbox).map(|_| AtomicU32::new(0)).collect()).collect();
    let boxes: Vec<&[AtomicU32]> = boxes.iter().map(Vec::as_slice).collect();
    let mut memory: Vec<_> = needs.iter().map(|n| (vec![0; n.cache], vec![0.0; n.scratch])).collect();
    let (kernels, lot) = (kernels(), Lot::default());
    std::thread::scope(|scope| {
        let (leader, followers) = memory.split_at_mut(1);
        let (cache, scratch) = &mut leader[0];
        for (index, (cache, scratch)) in followers.iter_mut().enumerate() {
            let (boxes, lot) = (&boxes, &lot);
            scope.spawn(move || -> Result<()> {
                let pace = SpinThenPark::new(lot);
                let team = Team::new(index + 1, boxes, &pace);
                let mut worker = Worker::new(model, config, kernels, team, cache, scratch)?;
                while worker.follow()? {}
                Ok(())
            });
        }
        let pace = SpinThenPark::new(&lot);
        let team = if config.workers == 1 { Team::alone() } else { Team::new(0, &boxes, &pace) };
        let mut engine = Engine::new(Worker::new(model, config, kernels, team, cache, scratch)?)?;
        let result = lead(&mut engine);
        engine.stop()?;
        result
    })
}
