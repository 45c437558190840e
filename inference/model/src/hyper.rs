// SPDX-License-Identifier: MIT
//! Hyperparameters: read from metadata, with the defaults of llama.cpp, and checked against each other.

use alloc::format;
use alloc::string::String;

use inference_gguf::{Gguf, GgufError};

use crate::{Family, ModelError, NormKind};

/// Sizes and constants of a model. Counts are in elements.
#[derive(Clone, Debug)]
pub struct Hyper {
    pub context: usize,
    pub embedding: usize,
    pub layers: usize,
    pub feed_forward: usize,
    pub heads: usize,
    pub kv_heads: usize,
    /// Elements of a head of Q and K.
    pub key_len: usize,
    /// Elements of a head of V.
    pub value_len: usize,
    /// Elements of a head that are rotated.
    pub rotated: usize,
    pub vocab: usize,
    pub eps: f32,
    pub rope_base: f32,
    /// Positions are divided by this (linear scaling).
    pub rope_factor: f32,
    /// Context the model was first trained with (long-rope scaling).
    pub rope_original: usize,
    /// Factor on sines and cosines (long-rope scaling); 0: to be derived.
    pub rope_attention: f32,
    /// Window of windowed layers; 0: none.
    pub window: usize,
    /// Soft cap on attention scores; 0: none.
    pub attention_cap: f32,
    /// Soft cap on logits; 0: none.
    pub logit_cap: f32,
    /// Factor on attention scores.
    pub attention_scale: f32,
}

/// Reads keys of one architecture.
struct Keys<'g, 'a> {
    gguf: &'g Gguf<'a>,
    arch: &'static str,
}

impl Keys<'_, '_> {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.arch)
    }

    /// A count from 1 to `max`, or `default` where the key is absent.
    fn count(&self, key: &str, default: Option<usize>, max: usize) -> Result<usize, ModelError> {
        let name = self.name(key);
        let value = match (self.gguf.u32(&name)?, default) {
            (Some(value), _) => value as usize,
            (None, Some(default)) => default,
            (None, None) => return Err(GgufError::MissingKey { key: name }.into()),
        };
        if value == 0 || value > max {
            return Err(ModelError::BadValue { key: name, value: value as u64 });
        }
        Ok(value)
    }

    fn real(&self, key: &str, default: f32) -> Result<f32, ModelError> {
        Ok(self.gguf.f32(&self.name(key))?.unwrap_or(default))
    }
}

const MAX_WIDTH: usize = 1 << 20;

impl Hyper {
    /// Reads the hyperparameters of `family`.
    ///
    /// # Errors
    /// Keys that are missing, of a wrong type, out of range or contradictory, by name.
    pub fn read(gguf: &Gguf<'_>, family: &'static Family) -> Result<Self, ModelError> {
        let keys = Keys { gguf, arch: family.name };
        let embedding = keys.count("embedding_length", None, MAX_WIDTH)?;
        let heads = keys.count("attention.head_count", None, 4096)?;
        let kv_heads = keys.count("attention.head_count_kv", Some(heads), heads)?;
        let key_len = keys.count("attention.key_length", Some(embedding / heads), 4096)?;
        let value_len = keys.count("attention.value_length", Some(embedding / heads), 4096)?;
        if !heads.is_multiple_of(kv_heads) {
            return Err(ModelError::BadValue {
                key: keys.name("attention.head_count_kv"),
                value: kv_heads as u64,
            });
        }
        let layers = keys.count("block_count", None, gguf.tensors().len())?;
        let context = keys.count("context_length", None, 1 << 30)?;
        let mut hyper = Self {
            context,
            embedding,
            layers,
            feed_forward: keys.count("feed_forward_length", None, MAX_WIDTH)?,
            heads,
            kv_heads,
            key_len,
            value_len,
            rotated: keys.count("rope.dimension_count", Some(key_len), key_len)?,
            vocab: 0,
            eps: keys.eps(family.norm)?,
            rope_base: keys.real("rope.freq_base", 10_000.0)?,
            rope_factor: 1.0,
            rope_original: keys.count("rope.scaling.original_context_length", Some(context), 1 << 30)?,
            rope_attention: keys.real("rope.scaling.attn_factor", 0.0)?,
            window: 0,
            attention_cap: keys.real("attn_logit_softcapping", 0.0)?,
            logit_cap: keys.real("final_logit_softcapping", 0.0)?,
            attention_scale: 1.0 / libm::sqrtf(key_len as f32),
        };
        hyper.read_rope(&keys)?;
        hyper.read_family(&keys, family)?;
        Ok(hyper)
    }

    fn read_rope(&mut self, keys: &Keys<'_, '_>) -> Result<(), ModelError> {
        if !self.rotated.is_multiple_of(2) || !(1.0..1e12).contains(&self.rope_base) {
            return Err(ModelError::BadValue {
                key: keys.name("rope.dimension_count"),
                value: self.rotated as u64,
            });
        }
        match keys.gguf.str(&keys.name("rope.scaling.type"))? {
            None | Some("none" | "longrope") => {}
            Some("linear") => self.rope_factor = keys.real("rope.scaling.factor", 1.0)?,
            Some(_) => return Err(ModelError::Unsupported { what: "this kind of RoPE scaling" }),
        }
        if self.rope_factor < 1e-3 {
            return Err(ModelError::BadValue { key: keys.name("rope.scaling.factor"), value: 0 });
        }
        Ok(())
    }

    /// What is particular to some families: windows, caps, and the scale of attention in the largest Gemmas.
    fn read_family(&mut self, keys: &Keys<'_, '_>, family: &Family) -> Result<(), ModelError> {
        if family.windows != crate::Windows::None {
            self.window = keys.count("attention.sliding_window", Some(4096), 1 << 30)?;
        }
        if family.name == "gemma2" {
            self.attention_cap = keys.real("attn_logit_softcapping", 50.0)?;
            self.logit_cap = keys.real("final_logit_softcapping", 30.0)?;
        }
        if matches!((family.name, self.layers), ("gemma2", 46) | ("gemma3", 62)) {
            self.attention_scale = 1.0 / libm::sqrtf((self.embedding / self.heads) as f32);
        }
        Ok(())
    }

    /// Elements of all heads of Q.
    #[must_use]
    pub fn q_width(&self) -> usize {
        self.heads * self.key_len
    }

    /// Elements of all heads of attention's result.
    #[must_use]
    pub fn attention_width(&self) -> usize {
        self.heads * self.value_len
    }

    /// Heads of Q that share one head of K and V.
    #[must_use]
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }
}

impl Keys<'_, '_> {
    fn eps(&self, norm: NormKind) -> Result<f32, ModelError> {
        let key = match norm {
            NormKind::Rms => "attention.layer_norm_rms_epsilon",
            NormKind::Layer => "attention.layer_norm_epsilon",
        };
        let name = self.name(key);
        let eps = self.gguf.require(&name, self.gguf.f32(&name))?;
        if (0.0..1.0).contains(&eps) { Ok(eps) } else { Err(ModelError::BadValue { key: name, value: 0 }) }
    }
}
