// SPDX-License-Identifier: MIT
//! A training run: steps, reports, checkpoints. What is trained is a [`Subject`].

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use inference_kernels::Kernels;
use training::{AdamW, Gradients, Layout, Net, Order, Plan, Schedule, Settings, TrainError};

use crate::checkpoint::{self, State, fingerprint};
use crate::data::Data;
use crate::options::Options;
use crate::pool::{self, Pool};
use crate::progress::{Progress, Record, clock};

/// What a run trains.
pub trait Subject {
    /// Where the parameters that learn lie.
    fn layout(&self) -> &Layout;

    /// What is trained, for checkpoints: two runs that differ here cannot be one.
    fn identity(&self) -> &str;

    /// The model with these parameters.
    fn net<'a>(&'a self, parameters: &'a [f32]) -> Result<Net<'a>, TrainError>;

    /// Writes the result.
    fn export(&self, parameters: &[f32], file: &Path) -> Result<()>;
}

/// Documents to learn from, and held-out ones.
pub struct Sets {
    pub data: Data,
    pub held_out: Option<Data>,
}

/// Everything that changes while training.
pub struct Run<'a, S> {
    options: &'a Options,
    subject: &'a S,
    sets: Sets,
    pool: Pool,
    kernels: Kernels,
    parameters: Vec<f32>,
    optimizer: AdamW,
    gradients: Gradients,
    order: Order,
    progress: Progress,
    tokens: u64,
    /// Seconds before this part of the run.
    before: f64,
    started: Instant,
}

impl<'a, S: Subject> Run<'a, S> {
    /// Prepares a run from `parameters`, or from the checkpoint that the options name.
    pub fn new(
        options: &'a Options,
        subject: &'a S,
        sets: Sets,
        parameters: Vec<f32>,
        pool: Pool,
    ) -> Result<Self> {
        let (shards, recompute, bf16) = (options.shards, options.recompute, options.bf16);
        let plan = Plan { shards, together: 512, recompute, bf16 };
        let (kernels, len) = (pool::kernels(), subject.layout().len());
        let gradients = Gradients::new(&subject.net(&parameters)?, len, plan, kernels)?;
        let settings = Settings { decay: options.decay, ..Settings::default() };
        let mut run = Self {
            optimizer: AdamW::new(settings, len)?,
            order: Order::new(sets.data.documents.len(), options.seed, 0, 0),
            progress: Progress::new(Path::new(""), 0)?,
            options,
            subject,
            sets,
            pool,
            kernels,
            parameters,
            gradients,
            tokens: 0,
            before: 0.0,
            started: Instant::now(),
        };
        if let Some(file) = &options.resume {
            run.resume(file)?;
        }
        Ok(run)
    }

    /// The file beside the result with this extension.
    fn beside(&self, extension: &str) -> PathBuf {
        self.options.out.with_extension(extension)
    }

    fn resume(&mut self, file: &Path) -> Result<()> {
        let state = checkpoint::read(file, &mut self.parameters, &mut self.optimizer)?;
        ensure!(
            state.model == self.subject.identity(),
            "{} was made with another configuration or base: give the same one",
            file.display()
        );
        (self.tokens, self.before) = (state.tokens, state.seconds);
        let (documents, seed) = (&self.sets.data.documents, self.options.seed);
        let same = state.data == fingerprint(documents) && state.seed == seed;
        let (epoch, position) = if same { (state.epoch, state.position) } else { (state.epoch + 1, 0) };
        self.order = Order::new(documents.len(), seed, epoch, position);
        self.progress = Progress::new(&self.beside("losses.csv"), state.steps)?;
        println!("resuming at step {}, {} tokens, {}", state.steps, state.tokens, clock(state.seconds));
        if !same {
            println!("data or seed are not those of the checkpoint: a new epoch begins");
        }
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// The part of the run that is done.
    fn done(&self) -> f64 {
        let by_steps = self.options.steps.map(|steps| self.optimizer.steps as f64 / steps.max(1) as f64);
        let by_time = self.options.minutes.map(|minutes| self.seconds() / (60.0 * minutes).max(1e-9));
        by_steps.unwrap_or(0.0).max(by_time.unwrap_or(0.0))
    }

    /// Trains until the options say stop, and writes everything.
    pub fn train(&mut self) -> Result<()> {
        let mut saved = Instant::now();
        while self.done() < 1.0 {
            self.step().with_context(|| {
                format!("step {} failed; the last checkpoint is unchanged", self.optimizer.steps + 1)
            })?;
            if saved.elapsed().as_secs_f64() >= 60.0 * self.options.save_every {
                self.save()?;
                saved = Instant::now();
            }
        }
        self.save()?;
        println!(
            "done: {} steps, {} tokens in {}; loss {:.4}",
            self.optimizer.steps,
            self.tokens,
            clock(self.seconds()),
            self.progress.recent()
        );
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        let (begun, done) = (Instant::now(), self.done());
        let documents = &self.sets.data.documents;
        let batch = self.order.next_batch(documents, self.options.batch);
        let net = self.subject.net(&self.parameters)?;
        let tally = self.gradients.compute(&net, documents, &batch, &self.pool)?;
        let norm = self.gradients.norm()?;
        let rate = self.schedule().rate(self.optimizer.steps, done);
        let vectors = (&mut self.parameters[..], self.gradients.gradient());
        let layout = self.subject.layout();
        self.optimizer.update(self.kernels, layout, vectors, (rate, norm), &self.pool)?;
        self.tokens += tally.tokens as u64;
        let (step, tokens, seconds) = (self.optimizer.steps, self.tokens, self.seconds());
        let record = Record { step, tokens, loss: tally.mean(), rate, norm, seconds, held_out: None };
        self.progress.add(record, self.done(), tally.tokens as f64 / begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn schedule(&self) -> Schedule {
        let Options { schedule, lr, warmup, .. } = *self.options;
        Schedule { curve: schedule.into(), rate: lr, least: 0.1, warmup }
    }

    /// Writes checkpoint, result, table and plot.
    fn save(&mut self) -> Result<()> {
        if let Some(held_out) = &self.sets.held_out {
            let net = self.subject.net(&self.parameters)?;
            let all: Vec<usize> = (0..held_out.documents.len()).collect();
            let tally = self.gradients.evaluate(&net, &held_out.documents, &all, &self.pool)?;
            self.progress.held_out(tally.mean());
        }
        let (epoch, position) = self.order.place();
        let state = State {
            model: self.subject.identity().to_string(),
            steps: self.optimizer.steps,
            epoch,
            position,
            seed: self.options.seed,
            tokens: self.tokens,
            seconds: self.seconds(),
            data: fingerprint(&self.sets.data.documents),
        };
        checkpoint::write(&self.beside("ckpt"), &state, &self.parameters, &self.optimizer)?;
        self.subject.export(&self.parameters, &self.options.out)?;
        self.progress.write(&self.beside("losses.csv"), &self.beside("losses.svg"))
    }
}
