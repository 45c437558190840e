// SPDX-License-Identifier: MIT
//! `merge`: adds an adapter to the weights of its base and writes the result as a model of any type.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use inference_gguf::{GgmlType, Gguf, TensorInfo, Writer};
use inference_quantize::{Mixture, quantize_row};
use training::{Base, Shape};

use crate::adapter::{self, Adapter};
use crate::source::Source;
use crate::{export, files};

/// Arguments of `merge`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The model that the adapter was trained on.
    base: PathBuf,
    adapter: PathBuf,
    #[arg(short, long)]
    out: PathBuf,
    /// Type or mixture of the result, such as Q4_K_M, Q8_0 or F16; each tensor's own if absent.
    #[arg(long = "type")]
    kind: Option<String>,
    /// Do not check that the adapter was trained on this very file: the same model in another type.
    #[arg(long)]
    any_base: bool,
}

/// Reads both files, writes tensor by tensor.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.out != arguments.base, "the result would overwrite the base: choose another name");
    let mixture = arguments.kind.as_deref().map(export::mixture).transpose()?;
    let (source, small) = (Source::read(&arguments.base)?, Source::read(&arguments.adapter)?);
    let gguf = source.gguf()?;
    let model = source.model(&gguf)?;
    let shape = *Base::new(&model, model.hyper.context)?.shape();
    let adapter = adapter::read(&small.gguf()?, &shape)
        .with_context(|| format!("{} is not usable", arguments.adapter.display()))?;
    if !arguments.any_base {
        adapter.check_base(&adapter::digest(source.bytes()))?;
    }
    let mixture = mixture.map(|mixture| mixture.grouped(shape.group() as u64));
    let merge = Merge { gguf: &gguf, shape, adapter, mixture };
    let writer = merge.writer();
    let tensors: Vec<Vec<u8>> = gguf.tensors().iter().map(|t| merge.tensor(t)).collect::<Result<_>>()?;
    files::write_with(&arguments.out, |out| {
        out.write_all(&writer.header())?;
        for tensor in &tensors {
            out.write_all(tensor)?;
            out.write_all(&[0; 32][..Writer::padding(tensor.len() as u64)])?;
        }
        Ok(())
    })?;
    println!("wrote {}", arguments.out.display());
    Ok(())
}

struct Merge<'g, 'a> {
    gguf: &'g Gguf<'a>,
    shape: Shape,
    adapter: Adapter,
    mixture: Option<Mixture>,
}

impl Merge<'_, '_> {
    /// The base's metadata and tensors, with new types.
    fn writer(&self) -> Writer {
        let mut writer = Writer::new();
        let replaced = ["general.file_type", "general.quantization_version", "general.alignment"];
        for entry in self.gguf.entries() {
            if entry.key != "general.alignment" && (self.mixture.is_none() || !replaced.contains(&entry.key))
            {
                writer.raw(entry.key, entry.raw);
            }
        }
        if let Some(mixture) = &self.mixture {
            writer.u32("general.quantization_version", 2).u32("general.file_type", mixture.file_type);
        }
        for tensor in self.gguf.tensors() {
            writer.tensor(tensor.name, &tensor.dims[..tensor.n_dims as usize], self.kind(tensor));
        }
        writer
    }

    fn kind(&self, tensor: &TensorInfo<'_>) -> GgmlType {
        match &self.mixture {
            Some(mixture) if tensor.n_dims > 1 => {
                mixture.of(tensor.name, tensor.dims[0], self.shape.layers, self.shape.tied)
            }
            _ => tensor.kind,
        }
    }

    /// The bytes of a tensor: as they were where nothing changes.
    fn tensor(&self, tensor: &TensorInfo<'_>) -> Result<Vec<u8>> {
        let (data, kind) = (self.gguf.tensor_data(tensor)?, self.kind(tensor));
        let slot = |end: &str| self.adapter.layout.find(&format!("{}.lora_{end}", tensor.name));
        let pair = slot("a").zip(slot("b"));
        if kind == tensor.kind && pair.is_none() {
            return Ok(data.to_vec());
        }
        let (width, rows) = (tensor.dims[0] as usize, tensor.rows() as usize);
        let mut values = vec![0.0; width * rows];
        inference_kernels::dequantize_row(tensor.kind, data, &mut values);
        if let Some((a, b)) = pair {
            let numbers = &self.adapter.parameters;
            add(&mut values, width, &numbers[a.range()], &numbers[b.range()], self.adapter.scale());
        }
        let mut out = vec![0; kind.row_bytes(values.len() as u64).unwrap_or(0) as usize];
        quantize_row(kind, &values, &mut out).with_context(|| format!("tensor `{}`", tensor.name))?;
        Ok(out)
    }
}

/// `weight += scale * b · a`, row by row.
fn add(weight: &mut [f32], width: usize, a: &[f32], b: &[f32], scale: f32) {
    let rank = a.len() / width;
    for (row, b) in weight.chunks_exact_mut(width).zip(b.chunks_exact(rank)) {
        for (a, b) in a.chunks_exact(width).zip(b) {
            row.iter_mut().zip(a).for_each(|(w, a)| *w += scale * b * a);
        }
    }
}
