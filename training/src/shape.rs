// SPDX-License-Identifier: MIT
//! Sizes of a llama-type model.

use crate::{Part, TrainError};

/// Sizes and constants. Counts are in elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    pub vocab: usize,
    pub dim: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub ffn: usize,
    /// Most tokens of a document.
    pub context: usize,
    pub rope_base: f32,
    pub eps: f32,
    /// The output matrix is the embedding.
    pub tied: bool,
}

impl Shape {
    /// Checks that the sizes fit together.
    ///
    /// # Errors
    /// [`TrainError::BadShape`].
    pub fn check(&self) -> Result<(), TrainError> {
        let wrong = |what| Err(TrainError::BadShape { what });
        let sizes = [self.vocab, self.dim, self.layers, self.heads, self.kv_heads, self.ffn, self.context];
        if sizes.iter().any(|size| *size == 0 || *size > 1 << 20) {
            return wrong("every size must be from 1 to 1,048,576");
        }
        if !self.dim.is_multiple_of(self.heads) || !self.head().is_multiple_of(2) {
            return wrong("dim must be an even multiple of heads");
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return wrong("heads must be a multiple of kv_heads");
        }
        if !(1.0..1e12).contains(&self.rope_base) || !(0.0..1.0).contains(&self.eps) {
            return wrong("rope_base must be at least 1, eps from 0 to 1");
        }
        Ok(())
    }

    /// Elements of a head.
    #[must_use]
    pub fn head(&self) -> usize {
        self.dim / self.heads
    }

    /// Elements of all heads of keys, or of values.
    #[must_use]
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head()
    }

    /// Heads of queries that share one head of keys and values.
    #[must_use]
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Outputs of a layer's matrix.
    #[must_use]
    pub fn rows(&self, part: Part) -> usize {
        match part {
            Part::Q | Part::O | Part::Down => self.dim,
            Part::K | Part::V => self.kv_width(),
            Part::Gate | Part::Up => self.ffn,
        }
    }

    /// Inputs of a layer's matrix.
    #[must_use]
    pub fn cols(&self, part: Part) -> usize {
        if part == Part::Down { self.ffn } else { self.dim }
    }

    /// Multiplications and additions of one training step per token, attention over `seen` positions included.
    #[must_use]
    pub fn flops_per_token(&self, seen: usize) -> f64 {
        let matrices: usize = Part::ALL.iter().map(|part| self.rows(*part) * self.cols(*part)).sum();
        let weights = self.layers * matrices + self.vocab * self.dim;
        6.0 * weights as f64 + 12.0 * (self.layers * self.dim * seen) as f64
    }
}
