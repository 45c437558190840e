// SPDX-License-Identifier: MIT
//! The loss and the gradient of a batch, by shards.

use alloc::vec::Vec;

use inference_kernels::{Kernels, lanes};

use crate::batch::{Packed, share};
use crate::memory::{Workspace, zeros};
use crate::{Document, Net, TrainError, Workers, backward, forward, head};

/// How a batch is worked on. Another number of shards gives other roundings; threads do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Parts of a batch that are computed independently of each other.
    pub shards: usize,
    /// Tokens of a shard that are computed together; at least the context.
    pub together: usize,
    /// Whether activations are computed again in the backward pass instead of being kept for every layer.
    pub recompute: bool,
    /// Whether products are computed in BF16 where the machine can: faster, and not the same bits everywhere.
    pub bf16: bool,
}

/// The losses of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sum of the losses of all tokens that count, in nats.
    pub loss: f64,
    /// Tokens that count.
    pub counted: usize,
    /// Tokens that were read.
    pub tokens: usize,
}

impl Tally {
    /// Nats per token.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.loss / self.counted.max(1) as f64
    }
}

/// One shard: its memory, its part of the batch, its results.
#[derive(Debug)]
struct Shard {
    work: Workspace,
    packed: Packed,
    gradient: Vec<f32>,
    documents: Vec<usize>,
    loss: f64,
}

/// Computes gradients. Holds all memory that this takes.
#[derive(Debug)]
pub struct Gradients {
    shards: Vec<Shard>,
}

/// Elements that are added or measured at a time.
const CHUNK: usize = 1 << 16;

impl Gradients {
    /// Reserves memory for `net`, whose parameters that learn are `len` elements.
    ///
    /// # Errors
    /// `OutOfMemory`; `BadShape` where there is no shard.
    pub fn new(net: &Net<'_>, len: usize, plan: Plan, kernels: Kernels) -> Result<Self, TrainError> {
        if plan.shards == 0 {
            return Err(TrainError::BadShape { what: "a batch needs at least one shard" });
        }
        let shard = |_| {
            Ok(Shard {
                work: Workspace::new(net, kernels, plan)?,
                packed: Packed::default(),
                gradient: zeros(len)?,
                documents: Vec::new(),
                loss: 0.0,
            })
        };
        Ok(Self { shards: (0..plan.shards).map(shard).collect::<Result<_, _>>()? })
    }

    /// The mean loss over the documents `batch`, and its gradient, which is then in [`Gradients::gradient`].
    ///
    /// # Errors
    /// `BadToken`, `LongDocument`, `WrongLength` before anything is computed; `Empty`; `NotFinite` where the loss is no
    /// number.
    pub fn compute(
        &mut self,
        net: &Net<'_>,
        documents: &[Document],
        batch: &[usize],
        workers: &impl Workers,
    ) -> Result<Tally, TrainError> {
        let tally = self.run(net, documents, batch, workers, true)?;
        self.reduce(workers);
        Ok(tally)
    }

    /// The loss over the documents `batch` alone.
    ///
    /// # Errors
    /// As [`Gradients::compute`].
    pub fn evaluate(
        &mut self,
        net: &Net<'_>,
        documents: &[Document],
        batch: &[usize],
        workers: &impl Workers,
    ) -> Result<Tally, TrainError> {
        self.run(net, documents, batch, workers, false)
    }

    /// What the layers before `layer` make of a document: appends its input for that layer, (token, dim), to `states`.
    ///
    /// # Errors
    /// As [`Gradients::compute`]; `OutOfMemory`.
    pub fn states(
        &mut self,
        net: &Net<'_>,
        document: &Document,
        layer: usize,
        states: &mut Vec<f32>,
    ) -> Result<(), TrainError> {
        document.check(&net.shape)?;
        let Some(Shard { work, packed, .. }) = self.shards.first_mut() else { return Ok(()) };
        packed.fill(core::slice::from_ref(document), &[0], work.capacity);
        forward::begin(net, work, packed);
        (net.first()..layer.min(net.shape.layers)).for_each(|layer| forward::block(net, layer, work, packed));
        let elements = document.inputs() * net.shape.dim;
        states.try_reserve(elements).map_err(|_| TrainError::OutOfMemory { elements })?;
        states.extend_from_slice(&work.x[layer.min(net.shape.layers)][..elements]);
        Ok(())
    }

    fn run(
        &mut self,
        net: &Net<'_>,
        documents: &[Document],
        batch: &[usize],
        workers: &impl Workers,
        learn: bool,
    ) -> Result<Tally, TrainError> {
        batch.iter().try_for_each(|index| documents[*index].check(&net.shape))?;
        let counted = batch.iter().map(|index| documents[*index].targets()).sum();
        if counted == 0 {
            return Err(TrainError::Empty);
        }
        let weight = 1.0 / counted as f32;
        let lists = share(documents, batch, self.shards.len());
        self.shards.iter_mut().zip(lists).for_each(|(shard, list)| shard.documents = list);
        workers.each(&mut self.shards, |_, shard| shard.run(net, documents, weight, learn));
        let loss: f64 = self.shards.iter().map(|shard| shard.loss).sum();
        let tokens = batch.iter().map(|index| documents[*index].inputs()).sum();
        let tally = Tally { loss, counted, tokens };
        if loss.is_finite() { Ok(tally) } else { Err(TrainError::NotFinite { what: "the loss" }) }
    }

    /// Adds the gradients of all shards, in their order, to that of the first.
    fn reduce(&mut self, workers: &impl Workers) {
        let Some((first, others)) = self.shards.split_first_mut() else { return };
        let mut chunks: Vec<&mut [f32]> = first.gradient.chunks_mut(CHUNK).collect();
        workers.each(&mut chunks, |index, sum| {
            for other in others.iter() {
                let part = &other.gradient[index * CHUNK..][..sum.len()];
                other.work.tools.kernels.add_scaled(sum, part, 1.0);
            }
        });
    }

    /// The gradient of the last [`Gradients::compute`].
    #[must_use]
    pub fn gradient(&self) -> &[f32] {
        self.shards.first().map_or(&[], |shard| &shard.gradient)
    }

    /// The gradient's length (Euclidean norm).
    ///
    /// # Errors
    /// `NotFinite`.
    pub fn norm(&self) -> Result<f64, TrainError> {
        let squares = self.gradient().chunks(1024).map(|chunk| f64::from(lanes::sum_squares(chunk, 0.0)));
        let norm = libm::sqrt(squares.sum());
        if norm.is_finite() { Ok(norm) } else { Err(TrainError::NotFinite { what: "the gradient" }) }
    }
}

impl Shard {
    fn run(&mut self, net: &Net<'_>, documents: &[Document], weight: f32, learn: bool) {
        self.loss = 0.0;
        if learn {
            self.gradient.fill(0.0);
        }
        let mut rest = &self.documents[..];
        while !rest.is_empty() {
            let taken = self.packed.fill(documents, rest, self.work.capacity);
            rest = &rest[taken..];
            forward::forward(net, &mut self.work, &self.packed);
            let gradient = learn.then_some(&mut self.gradient[..]);
            self.loss += head::loss(net, &mut self.work, &self.packed, weight, gradient);
            if learn {
                backward::backward(net, &mut self.work, &self.packed, &mut self.gradient);
            }
        }
    }
}
