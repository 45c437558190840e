// SPDX-License-Identifier: MIT
//! A model file as a frozen base: weights stay where and as they are, of any type.

use alloc::vec::Vec;

use inference_kernels::Matrix;
use inference_model::{Layer, Linear as FileLinear, Model, Norm as FileNorm};

use crate::{Block, Linear, Net, Norm, Shape, Source, TrainError};

/// A model whose weights are read, not changed.
#[derive(Debug)]
pub struct Base<'m> {
    model: &'m Model<'m>,
    shape: Shape,
    /// The norms as numbers: two per layer, then the last one.
    norms: Vec<Vec<f32>>,
}

impl<'m> Base<'m> {
    /// Takes `model` for training with documents of at most `context` tokens.
    ///
    /// # Errors
    /// [`TrainError::Unsupported`] names what this crate does not train; `BadShape`.
    pub fn new(model: &'m Model<'m>, context: usize) -> Result<Self, TrainError> {
        let hyper = &model.hyper;
        check(model)?;
        let output = model.output.as_ref().map(|output| output.weight.bytes().as_ptr());
        let shape = Shape {
            vocab: hyper.vocab,
            dim: hyper.embedding,
            layers: hyper.layers,
            heads: hyper.heads,
            kv_heads: hyper.kv_heads,
            ffn: hyper.feed_forward,
            context: context.min(hyper.context),
            rope_base: hyper.rope_base,
            eps: hyper.eps,
            tied: output == Some(model.embedding.bytes().as_ptr()),
        };
        shape.check()?;
        let of_layers = model.layers.iter().flat_map(|layer| [&layer.attention_norm, &layer.network_norm]);
        let norms = of_layers.chain([&model.output_norm]).map(numbers).collect::<Result<_, _>>()?;
        Ok(Self { model, shape, norms })
    }

    /// The model's sizes.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The model as training sees it; nothing in it learns.
    ///
    /// # Errors
    /// `Unsupported` where a part is missing.
    pub fn net(&self) -> Result<Net<'_>, TrainError> {
        let output =
            self.model.output.as_ref().ok_or(TrainError::Unsupported { what: "it has no output" })?;
        Ok(Net {
            shape: self.shape,
            start: None,
            embedding: linear(self.model.embedding),
            layers: self
                .model
                .layers
                .iter()
                .enumerate()
                .map(|(i, l)| self.block(i, l))
                .collect::<Result<_, _>>()?,
            output_norm: self.norm(2 * self.shape.layers),
            output: linear(output.weight),
        })
    }

    fn norm(&self, index: usize) -> Norm<'_> {
        Norm { weight: &self.norms[index], gradient: None }
    }

    fn block(&self, index: usize, layer: &Layer<'m>) -> Result<Block<'_>, TrainError> {
        let gate = layer.gate.ok_or(TrainError::Unsupported { what: "its network has no gate" })?;
        let parts = [layer.q, layer.k, layer.v, layer.o, gate, layer.up, layer.down];
        Ok(Block {
            attention_norm: self.norm(2 * index),
            network_norm: self.norm(2 * index + 1),
            linears: parts.map(|part| linear(part.weight)),
        })
    }
}

fn linear(weight: Matrix<'_>) -> Linear<'_> {
    Linear {
        rows: weight.rows(),
        cols: weight.cols(),
        weight: Source::Packed(weight),
        gradient: None,
        adapter: None,
    }
}

fn numbers(norm: &Option<FileNorm<'_>>) -> Result<Vec<f32>, TrainError> {
    let norm = norm.as_ref().ok_or(TrainError::Unsupported { what: "a norm is missing" })?;
    Ok(norm.weight.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Refuses what the forward pass here does not compute.
fn check(model: &Model<'_>) -> Result<(), TrainError> {
    let hyper = &model.hyper;
    let unsupported = |what| Err(TrainError::Unsupported { what });
    if model.family.name != "llama" {
        return unsupported("only the llama architecture can be trained so far");
    }
    if !model.rope_divisors.is_empty() || hyper.rope_factor != 1.0 || !model.rope_long.is_empty() {
        return unsupported("it scales rotations");
    }
    if hyper.heads * hyper.key_len != hyper.embedding || hyper.key_len != hyper.value_len {
        return unsupported("its heads are not as wide as the embedding together");
    }
    if hyper.rotated != hyper.key_len {
        return unsupported("it rotates a part of each head only");
    }
    let biased = |linear: &FileLinear<'_>| !linear.bias.is_empty();
    let parts = |l: &Layer<'_>| [l.q, l.k, l.v, l.o, l.up, l.down].iter().any(biased);
    if model.layers.iter().any(parts) {
        return unsupported("its matrices have biases");
    }
    Ok(())
}
