// SPDX-License-Identifier: MIT
//! Low-rank additions to a model's matrices (LoRA; Hu and others, 2021), in llama.cpp's form: a GGUF file with pairs of
//! tensors `….lora_a` (rank, inputs) and `….lora_b` (outputs, rank), and `adapter.lora.alpha`.
//!
//! One design rule: the weights stay as they are. `y = W·x + (alpha / rank) · B·(A·x)` is computed beside them, in `f32`
//! and in the same order for any batch and any number of workers. Everything in a file is checked against the model
//! before it is used: names, shapes, types, and that every number is finite.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use inference_gguf::{GgmlType, Gguf, TensorInfo};
use inference_kernels::{Activation, ActivationKind, Kernels, Matrix, Output};

use crate::{Linear, Model, ModelError};

/// A matrix of a layer: what an adapter can add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Q,
    K,
    V,
    O,
    Gate,
    Up,
    Down,
}

impl Part {
    pub const ALL: [Self; 7] = [Self::Q, Self::K, Self::V, Self::O, Self::Gate, Self::Up, Self::Down];

    /// The name in GGUF files, without layer and `.weight`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"][self as usize]
    }

    /// The name in commands.
    #[must_use]
    pub fn short(self) -> &'static str {
        ["q", "k", "v", "o", "gate", "up", "down"][self as usize]
    }
}

/// Largest rank.
pub const MOST_RANK: usize = 256;

/// The two matrices of one weight, as F32.
#[derive(Debug)]
struct Pair {
    rank: usize,
    /// (rank, inputs)
    a: Vec<u8>,
    /// (outputs, rank)
    b: Vec<u8>,
    scale: f32,
}

/// An adapter that fits a model. Owns its numbers.
#[derive(Debug)]
pub struct Adapter {
    /// (layer, part)
    pairs: Vec<[Option<Pair>; 7]>,
    rank: usize,
    widest: usize,
}

/// Memory for what an adapter adds.
#[derive(Debug, Default)]
pub(crate) struct Added {
    low: Vec<f32>,
    sum: Vec<f32>,
}

impl Adapter {
    /// Reads an adapter for `model` from the bytes of a file.
    ///
    /// # Errors
    /// It is no such file, or made for a model of another shape: the tensor is named.
    pub fn read(bytes: &[u8], model: &Model<'_>) -> Result<Self, ModelError> {
        let gguf = Gguf::parse(bytes)?;
        let is = |key, value| gguf.str(key).ok().flatten() == Some(value);
        if !is("general.type", "adapter") || !is("adapter.type", "lora") {
            return Err(ModelError::BadAdapter { what: "it is no LoRA adapter".to_string() });
        }
        let alpha = gguf.f32("adapter.lora.alpha")?.filter(|alpha| alpha.is_finite());
        let alpha = alpha.ok_or_else(|| bad("adapter.lora.alpha", "is missing or no number"))?;
        let mut adapter = Self { pairs: Vec::new(), rank: 0, widest: 0 };
        adapter.pairs.try_reserve_exact(model.layers.len()).map_err(|_| ModelError::OutOfMemory)?;
        adapter.pairs.resize_with(model.layers.len(), Default::default);
        let mut used = 0;
        for layer in 0..model.layers.len() {
            for part in Part::ALL {
                used += usize::from(adapter.take(&gguf, model, layer, part, alpha)?) * 2;
            }
        }
        if used == 0 || used != gguf.tensors().len() {
            return Err(bad(
                "it",
                "has tensors that this model has no place for: it was made for another one",
            ));
        }
        Ok(adapter)
    }

    /// Takes the matrices of one weight, if there are any.
    fn take(
        &mut self,
        gguf: &Gguf<'_>,
        model: &Model<'_>,
        layer: usize,
        part: Part,
        alpha: f32,
    ) -> Result<bool, ModelError> {
        let name = alloc::format!("blk.{layer}.{}.weight", part.name());
        let [a_name, b_name] = ["lora_a", "lora_b"].map(|which| alloc::format!("{name}.{which}"));
        let (a, b) = match (gguf.tensor(&a_name), gguf.tensor(&b_name)) {
            (None, None) => return Ok(false),
            (Some(a), Some(b)) => (a, b),
            _ => return Err(bad(&name, "has one matrix instead of two")),
        };
        let linear = linear(model, layer, part).ok_or_else(|| bad(&name, "is no weight of this model"))?;
        let (rows, cols, rank) = (linear.weight.rows(), linear.weight.cols(), a.dims[1] as usize);
        if rank == 0 || rank > MOST_RANK {
            return Err(bad(&a_name, "has a rank that is not from 1 to 256"));
        }
        let pair = Pair {
            rank,
            a: numbers(gguf, a, &a_name, [cols, rank])?,
            b: numbers(gguf, b, &b_name, [rank, rows])?,
            scale: alpha / rank as f32,
        };
        (self.rank, self.widest) = (self.rank.max(rank), self.widest.max(rows));
        self.pairs[layer][part as usize] = Some(pair);
        Ok(true)
    }

    /// Memory for batches of `tokens`.
    pub(crate) fn memory(&self, tokens: usize) -> Result<Added, ModelError> {
        Ok(Added { low: zeros(tokens * self.rank)?, sum: zeros(tokens * self.widest)? })
    }

    /// Adds to `out`, (token, `stride`), what is added to outputs `rows` of a weight for the inputs `x`, (token, input).
    pub(crate) fn add(
        &self,
        kernels: Kernels,
        (layer, part, rows): (usize, Part, Range<usize>),
        x: &[f32],
        (out, stride): (&mut [f32], usize),
        added: &mut Added,
    ) {
        let Some(pair) = self.pairs.get(layer).and_then(|parts| parts[part as usize].as_ref()) else {
            return;
        };
        let (rank, width) = (pair.rank, pair.a.len() / 4 / pair.rank);
        let (all, wide) = (pair.b.len() / 4 / rank, rows.len());
        let matrices = Matrix::new(GgmlType::F32, rank, width, &pair.a).zip(Matrix::new(
            GgmlType::F32,
            all,
            rank,
            &pair.b,
        ));
        let Some((a, b)) = matrices else { return };
        let n = x.len() / width;
        let low = &mut added.low[..n * rank];
        kernels.matmul(&a, &floats(x, width, n), &mut Output { values: low, stride: rank });
        let sum = &mut added.sum[..n * wide];
        kernels.matmul(&b.slice(rows), &floats(low, rank, n), &mut Output { values: sum, stride: wide });
        for (out, sum) in out.chunks_mut(stride).zip(sum.chunks_exact(wide)) {
            kernels.add_scaled(&mut out[..wide], sum, pair.scale);
        }
    }
}

fn floats(values: &[f32], width: usize, tokens: usize) -> Activation<'_> {
    Activation { kind: ActivationKind::F32, width, tokens, values, q: &[], d: &[], sums: &[] }
}

fn linear<'m>(model: &'m Model<'_>, layer: usize, part: Part) -> Option<&'m Linear<'m>> {
    let layer = model.layers.get(layer)?;
    Some(match part {
        Part::Q => &layer.q,
        Part::K => &layer.k,
        Part::V => &layer.v,
        Part::O => &layer.o,
        Part::Gate => layer.gate.as_ref()?,
        Part::Up => &layer.up,
        Part::Down => &layer.down,
    })
}

/// The bytes of a tensor of finite `f32`.
fn numbers(
    gguf: &Gguf<'_>,
    info: &TensorInfo<'_>,
    name: &str,
    [cols, rows]: [usize; 2],
) -> Result<Vec<u8>, ModelError> {
    if info.dims != [cols as u64, rows as u64, 1, 1] {
        return Err(bad(name, "has another shape than this model: the adapter was made for another one"));
    }
    if info.kind != GgmlType::F32 {
        return Err(bad(name, "is not of type F32"));
    }
    let data = gguf.tensor_data(info)?;
    if !data.as_chunks().0.iter().all(|value| f32::from_le_bytes(*value).is_finite()) {
        return Err(bad(name, "has values that are no numbers"));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(data.len()).map_err(|_| ModelError::OutOfMemory)?;
    bytes.extend_from_slice(data);
    Ok(bytes)
}

fn zeros(len: usize) -> Result<Vec<f32>, ModelError> {
    let mut out = Vec::new();
    out.try_reserve_exact(len).map_err(|_| ModelError::OutOfMemory)?;
    out.resize(len, 0.0);
    Ok(out)
}

fn bad(name: &str, what: &str) -> ModelError {
    ModelError::BadAdapter { what: String::from_iter([name, " ", what]) }
}
