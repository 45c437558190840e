// SPDX-License-Identifier: MIT
//! `quantize`: writes a model in another type, with llama.cpp's mixtures.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use inference_gguf::{GgmlType, Gguf, TensorInfo, Writer};
use inference_quantize::{Mixture, quantize_row};

use crate::host;

/// Arguments of `quantize`.
#[derive(clap::Args)]
pub struct Arguments {
    input: PathBuf,
    output: PathBuf,
    /// A type or mixture, such as Q4_K_M, Q8_0 or F16.
    kind: String,
}

/// Reads the whole input, writes tensor by tensor.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.input != arguments.output, "input and output are the same file: choose another output");
    let mixture =
        Mixture::named(&arguments.kind).with_context(|| format!("type `{}` is not known", arguments.kind))?;
    let bytes = host::read(&arguments.input)?;
    let (gguf, model) = host::bind(&arguments.input, &bytes)?;
    let mixture = mixture.grouped((model.hyper.heads / model.hyper.kv_heads.max(1)) as u64);
    let (layers, tied) = (model.hyper.layers, gguf.tensor("output.weight").is_none());
    let mut writer = Writer::new();
    copy_metadata(&gguf, &mixture, &mut writer);
    let kinds: Vec<GgmlType> = gguf.tensors().iter().map(|t| target(t, &mixture, layers, tied)).collect();
    for (tensor, kind) in gguf.tensors().iter().zip(&kinds) {
        writer.tensor(tensor.name, &tensor.dims[..tensor.n_dims as usize], *kind);
    }
    let file = File::create(&arguments.output);
    let file = file.with_context(|| format!("cannot write {}", arguments.output.display()))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    file.write_all(&writer.header())?;
    let bar = ProgressBar::new(gguf.tensors().iter().map(TensorInfo::elements).sum());
    bar.set_style(ProgressStyle::with_template("{bar:40} {percent}% {msg}")?);
    for (tensor, kind) in gguf.tensors().iter().zip(kinds) {
        bar.set_message(tensor.name.to_string());
        write_tensor(&gguf, tensor, kind, &mut file, &bar)?;
    }
    file.flush()?;
    bar.finish_and_clear();
    println!("wrote {}", arguments.output.display());
    Ok(())
}

fn copy_metadata(gguf: &Gguf<'_>, mixture: &Mixture, writer: &mut Writer) {
    let replaced = ["general.file_type", "general.quantization_version", "general.alignment"];
    for entry in gguf.entries().iter().filter(|entry| !replaced.contains(&entry.key)) {
        writer.raw(entry.key, entry.raw);
    }
    writer.u32("general.quantization_version", 2).u32("general.file_type", mixture.file_type);
}

/// Matrices are quantised; vectors, position and token-type embeddings stay F32.
fn target(tensor: &TensorInfo<'_>, mixture: &Mixture, layers: usize, tied: bool) -> GgmlType {
    let kept = ["position_embd.weight", "token_types.weight"].contains(&tensor.name);
    if tensor.n_dims < 2 || kept || tensor.name.contains("norm") || tensor.name.ends_with(".bias") {
        return tensor.kind;
    }
    mixture.of(tensor.name, tensor.dims[0], layers, tied)
}

fn write_tensor(
    gguf: &Gguf<'_>,
    tensor: &TensorInfo<'_>,
    kind: GgmlType,
    file: &mut impl Write,
    bar: &ProgressBar,
) -> Result<()> {
    let data = gguf.tensor_data(tensor)?;
    let mut size = data.len() as u64;
    if kind == tensor.kind {
        file.write_all(data)?;
        bar.inc(tensor.elements());
    } else {
        let row_bytes = data.len() / tensor.rows() as usize;
        let out_bytes = kind.row_bytes(tensor.dims[0]).unwrap_or(0) as usize;
        let (mut row, mut out) = (vec![0.0; tensor.dims[0] as usize], vec![0; out_bytes]);
        size = 0;
        for bytes in data.chunks_exact(row_bytes) {
            inference_kernels::dequantize_row(tensor.kind, bytes, &mut row);
            quantize_row(kind, &row, &mut out).with_context(|| format!("tensor `{}`", tensor.name))?;
            file.write_all(&out)?;
            size += out.len() as u64;
            bar.inc(tensor.dims[0]);
        }
    }
    file.write_all(&[0; 32][..Writer::padding(size)])?;
    Ok(())
}
