// SPDX-License-Identifier: MIT
//! Documents, the order in which they are learnt, and how they are packed.

use alloc::vec::Vec;
use core::ops::Range;

use crate::random::Random;
use crate::{Shape, TrainError};

/// A text as tokens, and which of them the model is to learn to predict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub tokens: Vec<u32>,
    /// One per token: whether predicting it counts. The first is never predicted.
    pub counted: Vec<bool>,
}

impl Document {
    /// Tokens that are read: all but the last.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.tokens.len().saturating_sub(1)
    }

    /// Tokens whose prediction counts.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.counted.iter().skip(1).filter(|counted| **counted).count()
    }

    /// # Errors
    /// `BadToken`, `LongDocument`, `WrongLength`.
    pub(crate) fn check(&self, shape: &Shape) -> Result<(), TrainError> {
        let (found, expected) = (self.counted.len(), self.tokens.len());
        if found != expected {
            return Err(TrainError::WrongLength {
                what: "a document's list of what counts",
                expected,
                found,
            });
        }
        if self.inputs() > shape.context {
            return Err(TrainError::LongDocument { tokens: self.inputs(), context: shape.context });
        }
        match self.tokens.iter().find(|token| **token as usize >= shape.vocab) {
            Some(token) => Err(TrainError::BadToken { token: *token, vocab: shape.vocab }),
            None => Ok(()),
        }
    }
}

/// The order of documents: every epoch in another random order of the seed.
#[derive(Clone, Debug)]
pub struct Order {
    seed: u64,
    epoch: u64,
    /// Documents of this epoch that were handed out.
    position: usize,
    documents: Vec<u32>,
}

impl Order {
    /// The order of `count` documents, from `position` in `epoch` on.
    #[must_use]
    pub fn new(count: usize, seed: u64, epoch: u64, position: usize) -> Self {
        let documents = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
        let mut order = Self { seed, epoch, position, documents };
        order.shuffle();
        order
    }

    fn shuffle(&mut self) {
        self.documents.sort_unstable();
        Random::new(self.seed, self.epoch).shuffle(&mut self.documents);
    }

    /// The epoch, and how many of its documents were handed out: what [`Order::new`] needs to go on.
    #[must_use]
    pub fn place(&self) -> (u64, usize) {
        (self.epoch, self.position)
    }

    /// The next documents with together at least `tokens` inputs; at least one, at most one epoch.
    pub fn next_batch(&mut self, documents: &[Document], tokens: usize) -> Vec<usize> {
        let (mut batch, mut sum) = (Vec::new(), 0);
        while (sum < tokens || batch.is_empty()) && batch.len() < self.documents.len() {
            if self.position >= self.documents.len() {
                (self.epoch, self.position) = (self.epoch + 1, 0);
                self.shuffle();
            }
            let next = self.documents[self.position] as usize;
            self.position += 1;
            sum += documents[next].inputs();
            batch.push(next);
        }
        batch
    }
}

/// Shares the documents of a batch out to `shards`: each goes to the one with the fewest tokens so far.
pub(crate) fn share(documents: &[Document], batch: &[usize], shards: usize) -> Vec<Vec<usize>> {
    let mut out: Vec<(usize, Vec<usize>)> = (0..shards).map(|_| (0, Vec::new())).collect();
    for index in batch {
        if let Some((sum, list)) = out.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += documents[*index].inputs();
            list.push(*index);
        }
    }
    out.into_iter().map(|(_, list)| list).collect()
}

/// The target of a token whose successor does not count.
pub(crate) const NOT_COUNTED: u32 = u32::MAX;

/// Documents behind one another, computed together.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub tokens: Vec<u32>,
    /// One per token.
    pub targets: Vec<u32>,
    pub documents: Vec<Range<usize>>,
    /// Their numbers.
    pub numbers: Vec<usize>,
}

impl Packed {
    /// Takes documents from the front of `list` while they fit into `capacity` tokens; at least one. The result is how
    /// many.
    pub fn fill(&mut self, documents: &[Document], list: &[usize], capacity: usize) -> usize {
        self.tokens.clear();
        self.targets.clear();
        self.documents.clear();
        self.numbers.clear();
        for (taken, index) in list.iter().enumerate() {
            let document = &documents[*index];
            if taken > 0 && self.tokens.len() + document.inputs() > capacity {
                return taken;
            }
            self.push(document);
            self.numbers.push(*index);
        }
        list.len()
    }

    fn push(&mut self, document: &Document) {
        let (start, inputs) = (self.tokens.len(), document.inputs());
        self.tokens.extend_from_slice(&document.tokens[..inputs]);
        let next = document.tokens.iter().zip(&document.counted).skip(1);
        self.targets.extend(next.map(|(token, counted)| if *counted { *token } else { NOT_COUNTED }));
        self.documents.push(start..start + inputs);
    }
}
