// SPDX-License-Identifier: MIT
//! A model's graph: which matrices and vectors stand where. They are views of the file's bytes.

use alloc::vec::Vec;

use inference_kernels::Matrix;

use crate::{Family, Hyper};

/// Little-endian `f32` in the file.
pub type Vector<'a> = &'a [[u8; 4]];

/// A norm's weight and (layer norm) bias; an empty bias is none.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    pub weight: Vector<'a>,
    pub bias: Vector<'a>,
}

/// A weight matrix (output, input) and its bias; an empty bias is none.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    pub weight: Matrix<'a>,
    pub bias: Vector<'a>,
}

impl Linear<'_> {
    /// The part that makes outputs `range`.
    #[must_use]
    pub fn slice(&self, range: core::ops::Range<usize>) -> Self {
        let bias = self.bias.get(range.clone()).unwrap_or(&[]);
        Self { weight: self.weight.slice(range), bias }
    }
}

/// The tensors of one layer. Shapes: `q` (heads * key_len, embedding), `k`, `v` (kv_heads * …, embedding), `o`
/// (embedding, heads * value_len), `gate`, `up` (feed_forward, embedding), `down` (embedding, feed_forward).
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    pub attention_norm: Option<Norm<'a>>,
    pub q: Linear<'a>,
    pub k: Linear<'a>,
    pub v: Linear<'a>,
    pub o: Linear<'a>,
    pub q_norm: Option<Norm<'a>>,
    pub k_norm: Option<Norm<'a>>,
    pub attention_post: Option<Norm<'a>>,
    pub network_norm: Option<Norm<'a>>,
    pub gate: Option<Linear<'a>>,
    pub up: Linear<'a>,
    pub down: Linear<'a>,
    pub network_post: Option<Norm<'a>>,
    /// Positions this layer sees; 0: all.
    pub window: usize,
}

/// Tensors that only encoders (BERT) have.
#[derive(Clone, Copy, Debug)]
pub struct EncoderInput<'a> {
    pub types: Matrix<'a>,
    pub positions: Matrix<'a>,
    pub norm: Norm<'a>,
}

/// A model: weights in the file, bound to a graph.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    pub family: &'static Family,
    pub hyper: Hyper,
    pub embedding: Matrix<'a>,
    pub encoder: Option<EncoderInput<'a>>,
    pub layers: Vec<Layer<'a>>,
    pub output_norm: Option<Norm<'a>>,
    pub output: Option<Linear<'a>>,
    /// Divisors of rotation frequencies (Llama 3); empty: none.
    pub rope_divisors: Vector<'a>,
    /// Divisors for contexts beyond the original one, and up to it (Phi-3 long context).
    pub rope_long: Vector<'a>,
    pub rope_short: Vector<'a>,
}

impl Model<'_> {
    /// Bytes of all weights that a token reads.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        let linear = |l: &Linear<'_>| l.weight.bytes().len();
        let layers = self.layers.iter().map(|l| {
            let gate = l.gate.as_ref().map_or(0, linear);
            gate + [l.q, l.k, l.v, l.o, l.up, l.down].iter().map(linear).sum::<usize>()
        });
        layers.sum::<usize>() + self.output.as_ref().map_or(0, linear)
    }
}
