// SPDX-License-Identifier: MIT
//! Checkpoints: everything that a run needs to go on with the same bits. A checkpoint is a GGUF file with three
//! tensors (parameters and the optimiser's moments) and the state as JSON.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use inference_gguf::{GgmlType, Gguf, Writer};
use serde::{Deserialize, Serialize};
use training::AdamW;

use crate::files;

const STATE: &str = "checkpoint.state";
const TENSORS: [&str; 3] = ["parameters", "adam.first", "adam.second"];

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What was trained: two runs that differ here cannot be one.
    pub model: String,
    pub steps: u64,
    pub epoch: u64,
    /// Documents of this epoch that were learnt.
    pub position: usize,
    pub seed: u64,
    /// Tokens that were read.
    pub tokens: u64,
    pub seconds: f64,
    /// A number that depends on all documents.
    pub data: u64,
}

/// Writes a checkpoint, whole or not at all.
pub fn write(file: &Path, state: &State, parameters: &[f32], optimizer: &AdamW) -> Result<()> {
    let mut writer = Writer::new();
    writer.str("general.type", "checkpoint").str(STATE, &serde_json::to_string(state)?);
    let vectors = [parameters, &optimizer.first, &optimizer.second];
    for (name, vector) in TENSORS.iter().zip(vectors) {
        writer.tensor(name, &[vector.len() as u64], GgmlType::F32);
    }
    files::write_with(file, |out| {
        out.write_all(&writer.header())?;
        for vector in vectors {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            out.write_all(&bytes)?;
            out.write_all(&[0; 32][..Writer::padding(bytes.len() as u64)])?;
        }
        Ok(())
    })
}

/// Reads a checkpoint into `parameters` and `optimizer`.
pub fn read(file: &Path, parameters: &mut [f32], optimizer: &mut AdamW) -> Result<State> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    read_bytes(&bytes, parameters, optimizer).with_context(|| format!("{} is not usable", file.display()))
}

fn read_bytes(bytes: &[u8], parameters: &mut [f32], optimizer: &mut AdamW) -> Result<State> {
    let gguf = Gguf::parse(bytes)?;
    let state = gguf.str(STATE)?.context("this is no checkpoint: give the file that pretrain wrote")?;
    let state: State = serde_json::from_str(state)?;
    let vectors = [parameters, &mut optimizer.first[..], &mut optimizer.second[..]];
    for (name, vector) in TENSORS.iter().zip(vectors) {
        let tensor = gguf.tensor(name).with_context(|| format!("tensor `{name}` is missing"))?;
        ensure!(
            tensor.kind == GgmlType::F32 && tensor.elements() == vector.len() as u64,
            "tensor `{name}` has {} elements instead of {}: another model's checkpoint",
            tensor.elements(),
            vector.len()
        );
        let data = gguf.tensor_data(tensor)?.as_chunks::<4>().0;
        vector.iter_mut().zip(data).for_each(|(to, from)| *to = f32::from_le_bytes(*from));
    }
    optimizer.steps = state.steps;
    Ok(state)
}

/// A number that depends on every token of the documents and on their order.
#[must_use]
pub fn fingerprint(documents: &[training::Document]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add = |number: u64| hash = (hash ^ number).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    for document in documents {
        add(document.tokens.len() as u64);
        for (token, counted) in document.tokens.iter().zip(&document.counted) {
            add(u64::from(*token) << 1 | u64::from(*counted));
        }
    }
    hash
}
