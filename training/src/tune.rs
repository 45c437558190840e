// SPDX-License-Identifier: MIT
//! Fine-tuning on a handful of documents, in the memory and the time of a device.
//!
//! One design rule: **the caller is asked after every document**, so a run can be stopped at any time; and what was
//! learnt is measured before anybody uses it. The first layers stay frozen: what they make of each document is computed
//! once, so a step costs the last layers only.

use alloc::vec::Vec;

use inference_kernels::Kernels;

use crate::memory::zeros;
use crate::random::Random;
use crate::{
    AdamW, Alone, Base, Document, Gradients, Layout, Net, Part, Plan, Settings, Shape, Start, Tally,
    TrainError, initial,
};

/// What a document is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To be learnt.
    Learn,
    /// Known already; learnt again with the rest, so that it is not forgotten.
    Replay,
    /// Never learnt: measures whether what was learnt holds for others.
    HeldBack,
}

/// A document with its role.
#[derive(Clone, Debug)]
pub struct Lesson {
    pub role: Role,
    pub document: Document,
}

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Of the adapters.
    pub rank: usize,
    /// Their factor is `alpha / rank`.
    pub alpha: f32,
    /// So many layers learn, the last ones.
    pub layers: usize,
    /// The learning rate.
    pub rate: f32,
    /// Most passes over the lessons.
    pub passes: u32,
    /// Ends when the loss of each lesson, over all its tokens, is below this, in nats. Below ln 2 every token of the lesson
    /// has more than half of the probability: the best tokens, one after the other, are the lesson.
    pub enough: f64,
    pub seed: u64,
}

/// Mean losses in nats per token, and how many documents they are of; in the order of [`Role`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    pub mean: [f64; 3],
    pub documents: [u32; 3],
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The losses before (or after) are being measured.
    Measuring { after: bool },
    /// Lessons of a pass that were learnt, and their mean loss so far.
    Learning { pass: u32, done: usize, of: usize, loss: f64 },
}

/// An adapter that was learnt.
#[derive(Clone, Debug)]
pub struct Tuned {
    pub layout: Layout,
    pub parameters: Vec<f32>,
    pub before: Losses,
    pub after: Losses,
    /// Passes that were made.
    pub passes: u32,
}

/// Why there is no adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TuneError {
    /// The caller said so.
    Stopped,
    /// The memory that it takes, in bytes, and that there is.
    NoRoom { needed: usize, given: usize },
    /// As [`Gradients::compute`].
    Train(TrainError),
}

impl From<TrainError> for TuneError {
    fn from(error: TrainError) -> Self {
        Self::Train(error)
    }
}

/// Documents of one step of the optimiser.
const TOGETHER: usize = 4;

/// Bytes that a run takes, at most.
#[must_use]
pub fn demand(shape: &Shape, lessons: &[Lesson], recipe: &Recipe) -> usize {
    let first = shape.layers.saturating_sub(recipe.layers);
    let learns = Layout::adapters_from(shape, &Part::ALL, recipe.rank, first).len();
    let (n, tokens) = (shape.context, lessons.iter().map(|lesson| lesson.document.inputs()).sum::<usize>());
    let wide = 5 * shape.dim + 2 * shape.kv_width() + 3 * shape.ffn;
    let saved = shape.layers * n * wide;
    let stream = (shape.layers + 8) * n * shape.dim + 3 * n * shape.ffn;
    let head = n.min(256) * (shape.vocab + 3 * shape.dim);
    let fixed = (1 << 18) + inference_kernels::GEMM_SCRATCH + 128 * n + 2 * n * recipe.rank;
    // Parameters, two gradients, two moments.
    4 * (5 * learns + saved + stream + head + fixed + tokens * shape.dim)
}

/// A run.
struct Run<'a, F> {
    lessons: &'a [Lesson],
    documents: Vec<Document>,
    gradients: Gradients,
    kernels: Kernels,
    watch: F,
}

/// Learns adapters of the last layers of `base` from `lessons`; `given` bytes of memory may be used. `watch` says after
/// every document whether to go on.
///
/// # Errors
/// [`TuneError`]; where the loss or a gradient is no number any more, nothing comes out.
pub fn tune(
    base: &Base<'_>,
    kernels: Kernels,
    lessons: &[Lesson],
    recipe: &Recipe,
    given: usize,
    watch: impl FnMut(Moment) -> bool,
) -> Result<Tuned, TuneError> {
    let shape = *base.shape();
    let needed = demand(&shape, lessons, recipe);
    if needed > given {
        return Err(TuneError::NoRoom { needed, given });
    }
    let first = shape.layers.saturating_sub(recipe.layers);
    let layout = Layout::adapters_from(&shape, &Part::ALL, recipe.rank, first);
    let parameters = initial::adapters(&layout, recipe.seed)?;
    let net = base.net()?;
    let plan = Plan { shards: 1, together: shape.context, recompute: false, bf16: false };
    let sample = net.adapted(&layout, &parameters, 1.0)?;
    let gradients = Gradients::new(&sample, layout.len(), plan, kernels)?;
    let documents = lessons.iter().map(|lesson| lesson.document.clone()).collect();
    let mut run = Run { lessons, documents, gradients, kernels, watch };
    let (states, rows) = run.states(&net, first)?;
    let net = Net { start: Some(Start { layer: first, states: &states, rows: &rows }), ..net };
    run.learn(&net, layout, parameters, recipe)
}

impl<F: FnMut(Moment) -> bool> Run<'_, F> {
    fn ask(&mut self, moment: Moment) -> Result<(), TuneError> {
        if (self.watch)(moment) { Ok(()) } else { Err(TuneError::Stopped) }
    }

    /// What the frozen layers make of all documents, and where each begins.
    fn states(&mut self, net: &Net<'_>, layer: usize) -> Result<(Vec<f32>, Vec<usize>), TuneError> {
        let (mut states, mut rows) = (Vec::new(), Vec::new());
        for index in 0..self.documents.len() {
            rows.push(states.len() / net.shape.dim);
            self.gradients.states(net, &self.documents[index], layer, &mut states)?;
            self.ask(Moment::Measuring { after: false })?;
        }
        Ok((states, rows))
    }

    /// The losses, and the largest one of a lesson that is learnt or replayed, in nats over its answer.
    fn measure(&mut self, net: &Net<'_>, after: bool) -> Result<(Losses, f64), TuneError> {
        let (mut losses, mut worst) = (Losses::default(), 0.0f64);
        for (index, lesson) in self.lessons.iter().enumerate() {
            let tally = self.gradients.evaluate(net, &self.documents, &[index], &Alone)?;
            let role = lesson.role as usize;
            losses.mean[role] += tally.mean();
            losses.documents[role] += 1;
            if lesson.role != Role::HeldBack {
                worst = worst.max(tally.loss);
            }
            self.ask(Moment::Measuring { after })?;
        }
        let counts = losses.documents;
        losses.mean.iter_mut().zip(counts).for_each(|(sum, count)| *sum /= f64::from(count.max(1)));
        Ok((losses, worst))
    }

    fn learn(
        mut self,
        net: &Net<'_>,
        layout: Layout,
        p: Vec<f32>,
        recipe: &Recipe,
    ) -> Result<Tuned, TuneError> {
        let (mut parameters, scale) = (p, recipe.alpha / recipe.rank as f32);
        let (before, _) = self.measure(net, false)?;
        let settings = Settings { decay: 0.0, ..Settings::default() };
        let mut optimizer = AdamW::new(settings, layout.len())?;
        let mut order: Vec<usize> = (0..self.lessons.len()).collect();
        order.retain(|index| self.lessons[*index].role != Role::HeldBack);
        let (mut passes, mut enough) = (0, None);
        while passes < recipe.passes && enough.is_none() {
            passes += 1;
            Random::new(recipe.seed, u64::from(passes)).shuffle(&mut order);
            let mut made = Pass { worst: 0.0, sum: 0.0, done: 0, number: passes, of: order.len() };
            for batch in order.chunks(TOGETHER) {
                let sum = self.gradient(&net.adapted(&layout, &parameters, scale)?, batch, &mut made)?;
                let norm = length(&sum)?;
                let vectors = (&mut parameters[..], &sum[..]);
                optimizer.update(self.kernels, &layout, vectors, (recipe.rate, norm), &Alone)?;
            }
            // The pass measured each lesson before its last steps: what they did to it counts.
            if made.worst < recipe.enough {
                let (losses, worst) = self.measure(&net.adapted(&layout, &parameters, scale)?, true)?;
                enough = (worst < recipe.enough).then_some(losses);
            }
        }
        let after = match enough {
            Some(losses) => losses,
            None => self.measure(&net.adapted(&layout, &parameters, scale)?, true)?.0,
        };
        Ok(Tuned { layout, parameters, before, after, passes })
    }

    /// The mean gradient of a batch, document by document.
    fn gradient(&mut self, net: &Net<'_>, batch: &[usize], made: &mut Pass) -> Result<Vec<f32>, TuneError> {
        let mut sum = zeros(self.gradients.gradient().len())?;
        for index in batch {
            let tally = self.gradients.compute(net, &self.documents, &[*index], &Alone)?;
            self.kernels.add_scaled(&mut sum, self.gradients.gradient(), 1.0 / batch.len() as f32);
            let moment = made.add(&tally);
            self.ask(moment)?;
        }
        Ok(sum)
    }
}

/// A pass over all lessons.
struct Pass {
    number: u32,
    worst: f64,
    sum: f64,
    done: usize,
    of: usize,
}

impl Pass {
    fn add(&mut self, tally: &Tally) -> Moment {
        self.worst = self.worst.max(tally.loss);
        self.sum += tally.mean();
        self.done += 1;
        Moment::Learning {
            pass: self.number,
            done: self.done,
            of: self.of,
            loss: self.sum / self.done as f64,
        }
    }
}

fn length(gradient: &[f32]) -> Result<f64, TrainError> {
    let norm = libm::sqrt(gradient.iter().map(|x| f64::from(*x) * f64::from(*x)).sum());
    if norm.is_finite() { Ok(norm) } else { Err(TrainError::NotFinite { what: "the gradient" }) }
}
