// SPDX-License-Identifier: MIT
//! Adapter files, in llama.cpp's form: pairs of `….lora_a` (rank, inputs) and `….lora_b` (outputs, rank), F32, and alpha.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use inference_gguf::{GgmlType, Gguf, Writer};
use sha2::{Digest, Sha256};
use training::{Layout, Part, Shape};

use crate::files;

/// Which file an adapter was trained on.
const BASE: &str = "cloister.base.sha256";

/// An adapter's numbers.
pub struct Adapter {
    pub alpha: f32,
    pub rank: usize,
    /// sha256 of the base's file, where the adapter names it.
    pub base: Option<String>,
    pub layout: Layout,
    pub parameters: Vec<f32>,
}

/// The sha256 of a file, in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Adapter {
    /// Factor on the product of the two matrices.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    /// Checks that the adapter was trained on the file with this digest.
    ///
    /// # Errors
    /// It names another one.
    pub fn check_base(&self, digest: &str) -> Result<()> {
        match &self.base {
            Some(base) if base != digest => bail!(
                "the adapter was made for another base (sha256 {base}, not {digest}): give that file, or --any-base if this one is the same model in another type"
            ),
            _ => Ok(()),
        }
    }
}

/// Writes an adapter, whole or not at all.
pub fn write(file: &Path, base: &str, alpha: f32, layout: &Layout, parameters: &[f32]) -> Result<()> {
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").str("general.type", "adapter");
    writer.str("adapter.type", "lora").f32("adapter.lora.alpha", alpha).str(BASE, base);
    for slot in layout.slots() {
        writer.tensor(&slot.name, &[slot.cols as u64, slot.rows as u64], GgmlType::F32);
    }
    files::write_with(file, |out| {
        out.write_all(&writer.header())?;
        for slot in layout.slots() {
            let bytes: Vec<u8> = parameters[slot.range()].iter().flat_map(|x| x.to_le_bytes()).collect();
            out.write_all(&bytes)?;
            out.write_all(&[0; 32][..Writer::padding(bytes.len() as u64)])?;
        }
        Ok(())
    })
}

/// Reads an adapter for a model of `shape`.
///
/// # Errors
/// The file is no adapter of this form, or for a model of another shape: the tensor is named.
pub fn read(gguf: &Gguf<'_>, shape: &Shape) -> Result<Adapter> {
    let is = |key, value| Ok::<_, anyhow::Error>(gguf.str(key)? == Some(value));
    ensure!(
        is("general.type", "adapter")? && is("adapter.type", "lora")?,
        "this is no LoRA adapter (general.type, adapter.type)"
    );
    let alpha = gguf.f32("adapter.lora.alpha")?.context("adapter.lora.alpha is missing")?;
    let (parts, rank) = parts(gguf)?;
    let layout = Layout::adapters(shape, &parts, rank);
    ensure!(
        layout.slots().len() == gguf.tensors().len(),
        "the adapter has {} tensors, {} fit this base: it was made for another one",
        gguf.tensors().len(),
        layout.slots().len()
    );
    let mut parameters = vec![0.0; layout.len()];
    for slot in layout.slots() {
        let tensor = gguf.tensor(&slot.name).with_context(|| format!("tensor `{}` is missing", slot.name))?;
        ensure!(
            tensor.dims == [slot.cols as u64, slot.rows as u64, 1, 1],
            "tensor `{}` is {} x {} instead of {} x {}: the adapter was made for another base",
            slot.name,
            tensor.dims[0],
            tensor.dims[1],
            slot.cols,
            slot.rows
        );
        let data = gguf.tensor_data(tensor)?;
        inference_kernels::dequantize_row(tensor.kind, data, &mut parameters[slot.range()]);
    }
    let base = gguf.str(BASE)?.map(str::to_string);
    Ok(Adapter { alpha, rank, base, layout, parameters })
}

/// The parts that have matrices in layer 0, and the rank.
fn parts(gguf: &Gguf<'_>) -> Result<(Vec<Part>, usize)> {
    let a = |part: Part| gguf.tensor(&format!("blk.0.{}.weight.lora_a", part.name()));
    let parts: Vec<Part> = Part::ALL.into_iter().filter(|part| a(*part).is_some()).collect();
    let first = parts.first().and_then(|part| a(*part)).context("the adapter has no matrices of layer 0")?;
    let rank = usize::try_from(first.dims[1]).ok().filter(|rank| (1..=4096).contains(rank));
    Ok((parts, rank.context("the adapter's rank is not from 1 to 4096")?))
}
