// SPDX-License-Identifier: MIT
//! `quantize`: writes a model in another type, with llama.cpp's mixtures.

use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use inference_gguf::{GgmlType, Gguf, TensorInfo, Writer};
use inference_quantize::{Mixture, QuantizeError, quantize_row};

use crate::host;
use crate::output::say;
use crate::partial::Partial;

/// Arguments of `quantize`.
#[derive(clap::Args)]
pub struct Arguments {
    input: PathBuf,
    output: PathBuf,
    /// A type or mixture, such as Q4_K_M, Q8_0 or F16.
    kind: String,
    /// Threads; as many as there are processors where absent.
    #[arg(short, long)]
    threads: Option<NonZero<usize>>,
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
    let file = Partial::create(&arguments.output);
    let mut file = file.with_context(|| cannot_write(&arguments.output))?;
    let threads =
        arguments.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    file.write_all(&writer.header())?;
    let bar = ProgressBar::new(gguf.tensors().iter().map(TensorInfo::elements).sum());
    bar.set_style(ProgressStyle::with_template("{bar:40} {percent}% {msg}")?);
    for (tensor, kind) in gguf.tensors().iter().zip(kinds) {
        bar.set_message(tensor.name.to_string());
        let size = write_tensor(&gguf, tensor, kind, &mut file, (&bar, threads))?;
        file.write_all(&[0; 32][..Writer::padding(size)])?;
    }
    file.finish()?;
    bar.finish_and_clear();
    say!("wrote {}", arguments.output.display());
    Ok(())
}

fn cannot_write(file: &Path) -> String {
    format!("cannot write {}", file.display())
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

/// Rows whose elements are quantised before they are written: this many elements.
const TOGETHER: usize = 1 << 22;

/// Writes a tensor as `kind`; returns its bytes.
fn write_tensor(
    gguf: &Gguf<'_>,
    tensor: &TensorInfo<'_>,
    kind: GgmlType,
    file: &mut impl Write,
    (bar, threads): (&ProgressBar, usize),
) -> Result<u64> {
    let data = gguf.tensor_data(tensor)?;
    if kind == tensor.kind {
        file.write_all(data)?;
        bar.inc(tensor.elements());
        return Ok(data.len() as u64);
    }
    let width = tensor.dims[0] as usize;
    let row_bytes = data.len() / tensor.rows() as usize;
    let rows = Rows {
        from: tensor.kind,
        to: kind,
        width,
        row_bytes,
        out_bytes: kind.row_bytes(tensor.dims[0]).unwrap_or(0) as usize,
    };
    let (mut out, mut size) = (Vec::new(), 0);
    for data in data.chunks(row_bytes * (TOGETHER / width.max(1)).max(1)) {
        out.resize(data.len() / row_bytes * rows.out_bytes, 0);
        rows.quantize_in(threads, data, &mut out).with_context(|| format!("tensor `{}`", tensor.name))?;
        file.write_all(&out)?;
        size += out.len() as u64;
        bar.inc((data.len() / row_bytes * width) as u64);
    }
    Ok(size)
}

/// How rows of a tensor become rows of another type.
struct Rows {
    from: GgmlType,
    to: GgmlType,
    width: usize,
    row_bytes: usize,
    out_bytes: usize,
}

impl Rows {
    /// Quantises the rows of `data` into `out`, each thread its share.
    fn quantize_in(&self, threads: usize, data: &[u8], out: &mut [u8]) -> Result<(), QuantizeError> {
        let share = (data.len() / self.row_bytes).div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let parts = data.chunks(share * self.row_bytes).zip(out.chunks_mut(share * self.out_bytes));
            let threads: Vec<_> =
                parts.map(|(data, out)| scope.spawn(move || self.quantize(data, out))).collect();
            let results = threads.into_iter().map(|thread| thread.join());
            results
                .into_iter()
                .try_for_each(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn quantize(&self, data: &[u8], out: &mut [u8]) -> Result<(), QuantizeError> {
        let mut row = vec![0.0; self.width];
        for (data, out) in data.chunks_exact(self.row_bytes).zip(out.chunks_exact_mut(self.out_bytes)) {
            inference_kernels::dequantize_row(self.from, data, &mut row);
            quantize_row(self.to, &row, out)?;
        }
        Ok(())
    }
}
