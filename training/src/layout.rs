// SPDX-License-Identifier: MIT
//! Where each tensor lies in the one vector that holds all parameters that learn.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::{Part, Shape};

/// A tensor's place. Names are those of GGUF files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub rows: usize,
    pub cols: usize,
    pub start: usize,
    /// Whether weight decay pulls it towards zero: matrices, not norms.
    pub decay: bool,
}

impl Slot {
    /// Its elements in the vector.
    #[must_use]
    pub fn range(&self) -> core::ops::Range<usize> {
        self.start..self.start + self.rows * self.cols
    }
}

/// All tensors, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    slots: Vec<Slot>,
    len: usize,
}

impl Layout {
    /// All tensors of a model.
    #[must_use]
    pub fn full(shape: &Shape) -> Self {
        let mut layout = Self::default();
        layout.push("token_embd.weight".to_string(), shape.vocab, shape.dim);
        for layer in 0..shape.layers {
            layout.push(format!("blk.{layer}.attn_norm.weight"), 1, shape.dim);
            layout.push(format!("blk.{layer}.ffn_norm.weight"), 1, shape.dim);
            for part in Part::ALL {
                let name = format!("blk.{layer}.{}.weight", part.name());
                layout.push(name, shape.rows(part), shape.cols(part));
            }
        }
        layout.push("output_norm.weight".to_string(), 1, shape.dim);
        if !shape.tied {
            layout.push("output.weight".to_string(), shape.vocab, shape.dim);
        }
        layout
    }

    /// The matrices of adapters of `rank` for `parts` of every layer, in llama.cpp's names: `a` is (rank, inputs), `b` is
    /// (outputs, rank).
    #[must_use]
    pub fn adapters(shape: &Shape, parts: &[Part], rank: usize) -> Self {
        Self::adapters_from(shape, parts, rank, 0)
    }

    /// As [`Layout::adapters`], for the layers from `first` on.
    #[must_use]
    pub fn adapters_from(shape: &Shape, parts: &[Part], rank: usize, first: usize) -> Self {
        let mut layout = Self::default();
        for layer in first..shape.layers {
            for part in Part::ALL.into_iter().filter(|part| parts.contains(part)) {
                let name = format!("blk.{layer}.{}.weight", part.name());
                layout.push(format!("{name}.lora_a"), rank, shape.cols(part));
                layout.push(format!("{name}.lora_b"), shape.rows(part), rank);
            }
        }
        layout
    }

    fn push(&mut self, name: String, rows: usize, cols: usize) {
        self.slots.push(Slot { name, rows, cols, start: self.len, decay: rows > 1 });
        self.len += rows * cols;
    }

    /// The tensors, in their order.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The tensor called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// Elements of all tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
