// SPDX-License-Identifier: MIT
//! `inspect`: metadata, tensors, and whether the engine runs the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use inference_gguf::{Array, Gguf, Value};
use inference_model::{CacheKind, Config, Model};

use crate::host;
use crate::output::say;

#[derive(clap::Args)]
pub struct Arguments {
    file: PathBuf,
    /// List every tensor.
    #[arg(long)]
    tensors: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = host::read(&arguments.file)?;
    let gguf = Gguf::parse(&bytes).with_context(|| format!("{} is not usable", arguments.file.display()))?;
    say!("GGUF version {}, {} bytes, alignment {}", gguf.version(), bytes.len(), gguf.alignment());
    say!("\nMetadata ({})", gguf.entries().len());
    for entry in gguf.entries() {
        say!("  {} = {}", entry.key, show(entry.value));
    }
    show_tensors(&gguf, arguments.tensors)?;
    match Model::bind(&gguf) {
        Ok(model) => show_model(&model)?,
        Err(error) => say!("\nThis engine does not run it: {error}"),
    }
    Ok(())
}

fn show(value: Value<'_>) -> String {
    match value {
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => (value as f32).to_string(),
        Value::Bool(value) => value.to_string(),
        Value::String(bytes) => {
            let text: String = String::from_utf8_lossy(bytes).chars().take(100).collect();
            format!("{text:?}")
        }
        Value::Array(array) => show_array(&array),
    }
}

fn show_array(array: &Array<'_>) -> String {
    let first: Vec<String> = if let Some(strings) = array.strings() {
        strings.take(4).map(|s| format!("{:?}", String::from_utf8_lossy(s))).collect()
    } else if let Some(reals) = array.reals() {
        reals.take(4).map(|r| r.to_string()).collect()
    } else {
        array.integers().into_iter().flatten().take(4).map(|i| i.to_string()).collect()
    };
    format!("[{}] of {}: {} …", array.len(), array.kind().name(), first.join(", "))
}

fn show_tensors(gguf: &Gguf<'_>, all: bool) -> Result<()> {
    let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for tensor in gguf.tensors() {
        let entry = kinds.entry(tensor.kind.name()).or_default();
        *entry = (entry.0 + 1, entry.1 + tensor.size);
        if all {
            let dims = &tensor.dims[..tensor.n_dims as usize];
            say!("  {:40} {:8} {dims:?}", tensor.name, tensor.kind.name());
        }
    }
    say!("\nTensors ({})", gguf.tensors().len());
    for (kind, (count, bytes)) in kinds {
        say!("  {kind:8} {count:4} tensors {bytes:12} bytes");
    }
    Ok(())
}

fn show_model(model: &Model<'_>) -> Result<()> {
    let hyper = &model.hyper;
    say!("\nThis engine runs it: {}", model.family.name);
    say!("  weights read per token   {:12} bytes", model.weight_bytes());
    for context in [512, 2048, 8192].into_iter().filter(|c| *c <= hyper.context) {
        for (cache, name) in [(CacheKind::F16, "F16"), (CacheKind::Q8_0, "Q8_0")] {
            if let Ok(needs) = model.needs(&Config { context, batch: 32, workers: 1, cache }, 0) {
                say!(
                    "  context {context:5}, {name:4} cache  {:12} bytes, scratch {:10} bytes",
                    needs.cache,
                    needs.scratch * 4
                );
            }
        }
    }
    Ok(())
}
