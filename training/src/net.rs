// SPDX-License-Identifier: MIT
//! A model as training sees it: every weight with the place of its gradient.

use alloc::format;
use alloc::vec::Vec;

use crate::{Adapter, Layout, Linear, Part, Shape, Source, TrainError};

/// A norm's weights.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    pub weight: &'a [f32],
    /// Where its gradient begins; none for a frozen one.
    pub gradient: Option<usize>,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    pub attention_norm: Norm<'a>,
    pub network_norm: Norm<'a>,
    /// In the order of [`Part::ALL`].
    pub linears: [Linear<'a>; 7],
}

impl<'a> Block<'a> {
    pub(crate) fn linear(&self, part: Part) -> &Linear<'a> {
        &self.linears[part as usize]
    }
}

/// Where computation begins when the first layers are frozen: what they make of each document is computed once.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The first layer that is computed.
    pub layer: usize,
    /// Its input for all tokens of all documents: (token, dim); made by [`crate::Gradients::states`].
    pub states: &'a [f32],
    /// One per document: which row is its first.
    pub rows: &'a [usize],
}

/// A model: weights, and which of them learn.
#[derive(Clone, Debug)]
pub struct Net<'a> {
    pub shape: Shape,
    /// None: at the embedding.
    pub start: Option<Start<'a>>,
    pub embedding: Linear<'a>,
    pub layers: Vec<Block<'a>>,
    pub output_norm: Norm<'a>,
    /// (vocabulary, embedding); the embedding itself in a tied model.
    pub output: Linear<'a>,
}

/// Finds tensors in a vector of parameters.
struct Dense<'a, 'l> {
    layout: &'l Layout,
    parameters: &'a [f32],
}

impl<'a> Dense<'a, '_> {
    fn linear(&self, name: &str) -> Result<Linear<'a>, TrainError> {
        let slot = self.layout.find(name).ok_or(TrainError::BadShape { what: "a tensor is missing" })?;
        Ok(Linear {
            rows: slot.rows,
            cols: slot.cols,
            weight: Source::Dense(&self.parameters[slot.range()]),
            gradient: Some(slot.start),
            adapter: None,
        })
    }

    fn norm(&self, name: &str) -> Result<Norm<'a>, TrainError> {
        let slot = self.layout.find(name).ok_or(TrainError::BadShape { what: "a norm is missing" })?;
        Ok(Norm { weight: &self.parameters[slot.range()], gradient: Some(slot.start) })
    }

    fn block(&self, layer: usize) -> Result<Block<'a>, TrainError> {
        let part = |part: Part| self.linear(&format!("blk.{layer}.{}.weight", part.name()));
        use Part::*;
        Ok(Block {
            attention_norm: self.norm(&format!("blk.{layer}.attn_norm.weight"))?,
            network_norm: self.norm(&format!("blk.{layer}.ffn_norm.weight"))?,
            linears: [part(Q)?, part(K)?, part(V)?, part(O)?, part(Gate)?, part(Up)?, part(Down)?],
        })
    }
}

impl<'a> Net<'a> {
    /// A model in which everything learns; `parameters` are laid out as [`Layout::full`] says.
    ///
    /// # Errors
    /// `BadShape`, `WrongLength`.
    pub fn dense(shape: Shape, layout: &Layout, parameters: &'a [f32]) -> Result<Self, TrainError> {
        shape.check()?;
        check_length(layout, parameters)?;
        let dense = Dense { layout, parameters };
        let embedding = dense.linear("token_embd.weight")?;
        Ok(Self {
            shape,
            start: None,
            embedding,
            layers: (0..shape.layers).map(|layer| dense.block(layer)).collect::<Result<_, _>>()?,
            output_norm: dense.norm("output_norm.weight")?,
            output: if shape.tied { embedding } else { dense.linear("output.weight")? },
        })
    }

    /// This model with all its weights frozen, and adapters of `scale` that learn; `parameters` are laid out as
    /// [`Layout::adapters`] says.
    ///
    /// # Errors
    /// `WrongLength`.
    pub fn adapted(&self, layout: &Layout, parameters: &'a [f32], scale: f32) -> Result<Self, TrainError> {
        check_length(layout, parameters)?;
        let mut net = self.clone();
        (net.embedding.gradient, net.output.gradient, net.output_norm.gradient) = (None, None, None);
        for (layer, block) in net.layers.iter_mut().enumerate() {
            (block.attention_norm.gradient, block.network_norm.gradient) = (None, None);
            for (part, linear) in Part::ALL.into_iter().zip(&mut block.linears) {
                let name = format!("blk.{layer}.{}.weight", part.name());
                linear.gradient = None;
                linear.adapter = adapter(layout, parameters, &name, scale);
            }
        }
        Ok(net)
    }

    /// The first layer that is computed.
    pub(crate) fn first(&self) -> usize {
        self.start.map_or(0, |start| start.layer.min(self.shape.layers))
    }

    /// Whether any weight is packed, the widest one's columns, and the largest rank.
    pub(crate) fn demands(&self) -> (Option<usize>, usize) {
        let linears = self.layers.iter().flat_map(|block| &block.linears);
        let all = linears.chain([&self.embedding, &self.output]);
        let packed = |linear: &&Linear<'_>| matches!(linear.weight, Source::Packed(_));
        let width = all.clone().filter(packed).map(|linear| linear.cols).max();
        (width, all.filter_map(|linear| linear.adapter).map(|a| a.rank).max().unwrap_or(0))
    }
}

fn adapter<'a>(layout: &Layout, parameters: &'a [f32], name: &str, scale: f32) -> Option<Adapter<'a>> {
    let a = layout.find(&format!("{name}.lora_a"))?;
    let b = layout.find(&format!("{name}.lora_b"))?;
    Some(Adapter {
        rank: a.rows,
        scale,
        a: &parameters[a.range()],
        b: &parameters[b.range()],
        gradients: [a.start, b.start],
    })
}

fn check_length(layout: &Layout, parameters: &[f32]) -> Result<(), TrainError> {
    if layout.len() == parameters.len() {
        return Ok(());
    }
    Err(TrainError::WrongLength {
        what: "the parameter vector",
        expected: layout.len(),
        found: parameters.len(),
    })
}
