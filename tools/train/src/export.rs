// SPDX-License-Identifier: MIT
//! Parameters as a model file that this engine and llama.cpp load.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use inference_gguf::{GgmlType, Gguf, Writer};
use inference_quantize::{Mixture, quantize_row};
use retrieval::evidence::ANSWERS;
use training::{Layout, Shape, Slot};

use crate::files;

/// The type or mixture called `name`.
pub fn mixture(name: &str) -> Result<Mixture> {
    Mixture::named(name).with_context(|| format!("type `{name}` is not known"))
}

/// A model to be written.
pub struct Export<'a> {
    pub name: &'a str,
    /// `cloister.answers`.
    pub answers: Option<&'a str>,
    /// Where the vocabulary and the chat template come from.
    pub vocabulary: &'a Gguf<'a>,
    pub shape: &'a Shape,
    pub layout: &'a Layout,
    pub parameters: &'a [f32],
    pub mixture: &'a Mixture,
}

impl Export<'_> {
    /// Writes the file whole or not at all.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut writer = self.metadata();
        let slots = self.layout.slots();
        for slot in slots {
            let dims = [slot.cols as u64, slot.rows as u64];
            writer.tensor(&slot.name, &dims[..1 + usize::from(slot.decay)], self.kind_of(slot));
        }
        let tensors: Vec<Vec<u8>> = slots.iter().map(|slot| self.tensor(slot)).collect::<Result<_>>()?;
        files::write_with(file, |out| {
            out.write_all(&writer.header())?;
            for tensor in &tensors {
                out.write_all(tensor)?;
                out.write_all(&[0; 32][..Writer::padding(tensor.len() as u64)])?;
            }
            Ok(())
        })
    }

    fn metadata(&self) -> Writer {
        let (shape, mut writer) = (self.shape, Writer::new());
        writer.str("general.architecture", "llama").str("general.type", "model");
        writer.str("general.name", self.name).u32("general.file_type", self.mixture.file_type);
        writer.u32("general.quantization_version", 2);
        if let Some(answers) = self.answers {
            writer.str(ANSWERS, answers);
        }
        writer.u32("llama.context_length", shape.context as u32);
        writer.u32("llama.embedding_length", shape.dim as u32);
        writer.u32("llama.block_count", shape.layers as u32);
        writer.u32("llama.feed_forward_length", shape.ffn as u32);
        writer.u32("llama.attention.head_count", shape.heads as u32);
        writer.u32("llama.attention.head_count_kv", shape.kv_heads as u32);
        writer.f32("llama.attention.layer_norm_rms_epsilon", shape.eps);
        writer.f32("llama.rope.freq_base", shape.rope_base);
        writer.u32("llama.rope.dimension_count", shape.head() as u32);
        writer.u32("llama.vocab_size", shape.vocab as u32);
        for entry in self.vocabulary.entries().iter().filter(|entry| entry.key.starts_with("tokenizer.")) {
            writer.raw(entry.key, entry.raw);
        }
        writer
    }

    /// Norms stay F32.
    fn kind_of(&self, slot: &Slot) -> GgmlType {
        let mixture = self.mixture.grouped(self.shape.group() as u64);
        match slot.decay {
            true => mixture.of(&slot.name, slot.cols as u64, self.shape.layers, self.shape.tied),
            false => GgmlType::F32,
        }
    }

    fn tensor(&self, slot: &Slot) -> Result<Vec<u8>> {
        let kind = self.kind_of(slot);
        let values = &self.parameters[slot.range()];
        let mut out = vec![0; kind.row_bytes(values.len() as u64).unwrap_or(0) as usize];
        quantize_row(kind, values, &mut out).with_context(|| format!("tensor `{}`", slot.name))?;
        Ok(out)
    }
}
