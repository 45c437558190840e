// SPDX-License-Identifier: MIT
//! Binds tensors to their places in the graph. Every shape is checked here, so the forward pass need not.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use inference_gguf::{GgmlType, Gguf, GgufError, TensorInfo};
use inference_kernels::Matrix;

use crate::graph::{EncoderInput, Layer, Linear, Model, Norm, Vector};
use crate::{Activate, Family, Hyper, ModelError, NormKind, Residual};

impl<'a> Model<'a> {
    /// Binds the tensors of a whole file.
    ///
    /// # Errors
    /// An architecture that is not supported, hyperparameters and tensors that are missing or contradict each other.
    pub fn bind(gguf: &Gguf<'a>) -> Result<Self, ModelError> {
        let name = gguf.require("general.architecture", gguf.str("general.architecture"))?;
        let unknown = || ModelError::UnsupportedArchitecture { name: name.chars().take(64).collect() };
        let family = Family::named(name).ok_or_else(unknown)?;
        let mut hyper = Hyper::read(gguf, family)?;
        let binder = Binder { gguf, family };
        let embedding = binder.any_rows("token_embd", hyper.embedding)?;
        hyper.vocab = embedding.rows();
        if u32::try_from(hyper.vocab).is_err() {
            return Err(ModelError::BadValue { key: "vocab_size".to_string(), value: hyper.vocab as u64 });
        }
        let model = Self {
            family,
            embedding,
            encoder: binder.encoder(&hyper)?,
            layers: binder.layers(&hyper)?,
            output_norm: if family.encoder {
                None
            } else {
                Some(binder.norm("output_norm", hyper.embedding)?)
            },
            output: if family.encoder { None } else { Some(binder.output(&hyper, embedding)?) },
            rope_divisors: binder.divisors("rope_freqs", &hyper)?,
            rope_long: binder.divisors("rope_factors_long", &hyper)?,
            rope_short: binder.divisors("rope_factors_short", &hyper)?,
            hyper,
        };
        Ok(model)
    }
}

/// Finds tensors and checks their shapes.
struct Binder<'g, 'a> {
    gguf: &'g Gguf<'a>,
    family: &'static Family,
}

impl<'a> Binder<'_, 'a> {
    fn find(&self, name: &str) -> Result<TensorInfo<'a>, ModelError> {
        let missing = || GgufError::MissingTensor { tensor: name.to_string() };
        Ok(*self.gguf.tensor(name).ok_or_else(missing)?)
    }

    fn vector_of(&self, info: &TensorInfo<'a>, len: usize) -> Result<Vector<'a>, ModelError> {
        check_shape(info, len, 1)?;
        if info.kind != GgmlType::F32 {
            return Err(ModelError::NotF32 { tensor: info.name.to_string() });
        }
        Ok(self.gguf.tensor_data(info)?.as_chunks().0)
    }

    fn vector(&self, name: &str, len: usize) -> Result<Vector<'a>, ModelError> {
        self.vector_of(&self.find(name)?, len)
    }

    /// The vector, or an empty one where there is none.
    fn optional(&self, name: &str, len: usize) -> Result<Vector<'a>, ModelError> {
        self.gguf.tensor(name).map_or(Ok(&[]), |info| self.vector_of(info, len))
    }

    fn matrix_of(&self, info: &TensorInfo<'a>, rows: usize, cols: usize) -> Result<Matrix<'a>, ModelError> {
        check_shape(info, cols, rows)?;
        let data = self.gguf.tensor_data(info)?;
        Matrix::new(info.kind, rows, cols, data).ok_or_else(|| shape_error(info, cols, rows))
    }

    /// A matrix with any number of rows.
    fn any_rows(&self, name: &str, cols: usize) -> Result<Matrix<'a>, ModelError> {
        let info = self.find(&format!("{name}.weight"))?;
        self.matrix_of(&info, info.dims[1] as usize, cols)
    }

    fn linear(&self, name: &str, rows: usize, cols: usize) -> Result<Linear<'a>, ModelError> {
        let weight = self.matrix_of(&self.find(&format!("{name}.weight"))?, rows, cols)?;
        Ok(Linear { weight, bias: self.optional(&format!("{name}.bias"), rows)? })
    }

    fn norm(&self, name: &str, len: usize) -> Result<Norm<'a>, ModelError> {
        let weight = self.vector(&format!("{name}.weight"), len)?;
        let bias = match self.family.norm {
            NormKind::Rms => &[],
            NormKind::Layer => self.optional(&format!("{name}.bias"), len)?,
        };
        Ok(Norm { weight, bias })
    }

    fn output(&self, hyper: &Hyper, tied: Matrix<'a>) -> Result<Linear<'a>, ModelError> {
        if self.gguf.tensor("output.weight").is_none() {
            return Ok(Linear { weight: tied, bias: &[] });
        }
        self.linear("output", hyper.vocab, hyper.embedding)
    }

    fn encoder(&self, hyper: &Hyper) -> Result<Option<EncoderInput<'a>>, ModelError> {
        if !self.family.encoder {
            return Ok(None);
        }
        let positions = self.any_rows("position_embd", hyper.embedding)?;
        if positions.rows() < hyper.context {
            return Err(ModelError::BadValue {
                key: "bert.context_length".to_string(),
                value: hyper.context as u64,
            });
        }
        Ok(Some(EncoderInput {
            types: self.any_rows("token_types", hyper.embedding)?,
            positions,
            norm: self.norm("token_embd_norm", hyper.embedding)?,
        }))
    }

    fn divisors(&self, name: &str, hyper: &Hyper) -> Result<Vector<'a>, ModelError> {
        let vector = self.optional(&format!("{name}.weight"), hyper.rotated / 2)?;
        let sane = vector.iter().all(|v| (1e-6..1e9).contains(&f32::from_le_bytes(*v)));
        if sane { Ok(vector) } else { Err(ModelError::BadValue { key: name.to_string(), value: 0 }) }
    }

    fn layers(&self, hyper: &Hyper) -> Result<Vec<Layer<'a>>, ModelError> {
        let mut layers = Vec::new();
        layers.try_reserve_exact(hyper.layers).map_err(|_| ModelError::OutOfMemory)?;
        for index in 0..hyper.layers {
            layers.push(self.layer(hyper, index)?);
        }
        Ok(layers)
    }

    fn layer(&self, hyper: &Hyper, index: usize) -> Result<Layer<'a>, ModelError> {
        let name = |part: &str| format!("blk.{index}.{part}");
        let width = hyper.embedding;
        let norm = |part: &str, wanted: bool| wanted.then(|| self.norm(&name(part), width)).transpose();
        let head_norm =
            |part: &str| self.family.qk_norm.then(|| self.norm(&name(part), hyper.key_len)).transpose();
        let residual = self.family.residual;
        let posts = post_names(residual);
        let [q, k, v] = self.qkv(hyper, index)?;
        let (gate, up) = self.gate_up(hyper, index)?;
        Ok(Layer {
            attention_norm: norm("attn_norm", residual != Residual::Post)?,
            q,
            k,
            v,
            o: self.linear(&name("attn_output"), width, hyper.attention_width())?,
            q_norm: head_norm("attn_q_norm")?,
            k_norm: head_norm("attn_k_norm")?,
            attention_post: posts.map(|p| self.norm(&name(p[0]), width)).transpose()?,
            network_norm: norm("ffn_norm", matches!(residual, Residual::Pre | Residual::PreAndPost))?,
            gate,
            up,
            down: self.linear(&name("ffn_down"), width, hyper.feed_forward)?,
            network_post: posts.map(|p| self.norm(&name(p[1]), width)).transpose()?,
            window: if self.family.is_windowed(index) { hyper.window } else { 0 },
        })
    }

    fn qkv(&self, hyper: &Hyper, index: usize) -> Result<[Linear<'a>; 3], ModelError> {
        let (q, k, v) = (hyper.q_width(), hyper.kv_heads * hyper.key_len, hyper.kv_heads * hyper.value_len);
        let fused = format!("blk.{index}.attn_qkv");
        if self.family.fused_qkv && self.gguf.tensor(&format!("{fused}.weight")).is_some() {
            let all = self.linear(&fused, q + k + v, hyper.embedding)?;
            return Ok([all.slice(0..q), all.slice(q..q + k), all.slice(q + k..q + k + v)]);
        }
        let part = |name: &str, rows| {
            let name = format!("blk.{index}.{name}");
            let linear = self.linear(&name, rows, hyper.embedding)?;
            match self.family.qkv_bias && linear.bias.is_empty() {
                true => Err(GgufError::MissingTensor { tensor: format!("{name}.bias") }.into()),
                false => Ok::<_, ModelError>(linear),
            }
        };
        Ok([part("attn_q", q)?, part("attn_k", k)?, part("attn_v", v)?])
    }

    fn gate_up(&self, hyper: &Hyper, index: usize) -> Result<(Option<Linear<'a>>, Linear<'a>), ModelError> {
        let (rows, cols) = (hyper.feed_forward, hyper.embedding);
        let up = format!("blk.{index}.ffn_up");
        if self.family.fused_gate {
            let all = self.linear(&up, 2 * rows, cols)?;
            return Ok((Some(all.slice(0..rows)), all.slice(rows..2 * rows)));
        }
        let gated = self.family.activate != Activate::Gelu;
        let gate = gated.then(|| self.linear(&format!("blk.{index}.ffn_gate"), rows, cols)).transpose()?;
        Ok((gate, self.linear(&up, rows, cols)?))
    }
}

/// Names of the norms behind attention and network.
fn post_names(residual: Residual) -> Option<[&'static str; 2]> {
    match residual {
        Residual::Pre | Residual::Parallel => None,
        Residual::PreAndPost => Some(["post_attention_norm", "post_ffw_norm"]),
        Residual::Post => Some(["attn_output_norm", "layer_output_norm"]),
    }
}

fn shape_error(info: &TensorInfo<'_>, cols: usize, rows: usize) -> ModelError {
    let tensor = String::from(info.name);
    ModelError::WrongShape {
        tensor,
        expected: [cols as u64, rows as u64],
        found: [info.dims[0], info.rows()],
    }
}

fn check_shape(info: &TensorInfo<'_>, cols: usize, rows: usize) -> Result<(), ModelError> {
    let right = info.dims == [cols as u64, rows as u64, 1, 1];
    if right { Ok(()) } else { Err(shape_error(info, cols, rows)) }
}
