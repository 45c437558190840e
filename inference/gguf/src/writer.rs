// SPDX-License-Identifier: MIT
//! Writes GGUF version 3: metadata and directory first, then tensors in the order in which they were declared.
//!
//! The header is made before any tensor data, so a tool can stream tensors that do not fit into memory:
//! write [`Writer::header`], then each tensor's bytes followed by [`Writer::padding`] zeros.

use alloc::vec::Vec;

use crate::{GgmlType, ValueType};

const ALIGNMENT: u64 = 32;

/// Collects metadata and tensor declarations.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    entries: Vec<u8>,
    n_entries: u64,
    tensors: Vec<u8>,
    n_tensors: u64,
    offset: u64,
}

impl Writer {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry whose type and value are already encoded, as in [`crate::Entry::raw`].
    pub fn raw(&mut self, key: &str, type_and_value: &[u8]) -> &mut Self {
        put_string(&mut self.entries, key.as_bytes());
        self.entries.extend_from_slice(type_and_value);
        self.n_entries += 1;
        self
    }

    fn scalar(&mut self, key: &str, kind: ValueType, value: &[u8]) -> &mut Self {
        put_string(&mut self.entries, key.as_bytes());
        self.entries.extend_from_slice(&(kind as u32).to_le_bytes());
        self.entries.extend_from_slice(value);
        self.n_entries += 1;
        self
    }

    pub fn u32(&mut self, key: &str, value: u32) -> &mut Self {
        self.scalar(key, ValueType::U32, &value.to_le_bytes())
    }

    pub fn f32(&mut self, key: &str, value: f32) -> &mut Self {
        self.scalar(key, ValueType::F32, &value.to_le_bytes())
    }

    pub fn bool(&mut self, key: &str, value: bool) -> &mut Self {
        self.scalar(key, ValueType::Bool, &[u8::from(value)])
    }

    pub fn str(&mut self, key: &str, value: &str) -> &mut Self {
        let mut bytes = Vec::new();
        put_string(&mut bytes, value.as_bytes());
        self.scalar(key, ValueType::String, &bytes)
    }

    /// Adds an array of `count` items whose bytes are already encoded.
    pub fn array(&mut self, key: &str, kind: ValueType, count: u64, items: &[u8]) -> &mut Self {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&(kind as u32).to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(items);
        self.scalar(key, ValueType::Array, &bytes)
    }

    pub fn strings<S: AsRef<[u8]>>(&mut self, key: &str, values: &[S]) -> &mut Self {
        let mut items = Vec::new();
        values.iter().for_each(|value| put_string(&mut items, value.as_ref()));
        self.array(key, ValueType::String, values.len() as u64, &items)
    }

    pub fn f32s(&mut self, key: &str, values: &[f32]) -> &mut Self {
        let items: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.array(key, ValueType::F32, values.len() as u64, &items)
    }

    pub fn i32s(&mut self, key: &str, values: &[i32]) -> &mut Self {
        let items: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.array(key, ValueType::I32, values.len() as u64, &items)
    }

    /// Declares the next tensor; the result is its size in bytes.
    ///
    /// # Panics
    /// Where blocks of `kind` do not divide `dims[0]`: the caller chose both.
    pub fn tensor(&mut self, name: &str, dims: &[u64], kind: GgmlType) -> u64 {
        put_string(&mut self.tensors, name.as_bytes());
        self.tensors.extend_from_slice(&(dims.len() as u32).to_le_bytes());
        dims.iter().for_each(|extent| self.tensors.extend_from_slice(&extent.to_le_bytes()));
        self.tensors.extend_from_slice(&(kind as u32).to_le_bytes());
        self.tensors.extend_from_slice(&self.offset.to_le_bytes());
        let row = kind.row_bytes(dims[0]).expect("the caller chose a width that blocks divide");
        let size = row * dims[1..].iter().product::<u64>();
        self.offset += size.next_multiple_of(ALIGNMENT);
        self.n_tensors += 1;
        size
    }

    /// Everything before tensor data, padded.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend_from_slice(&3u32.to_le_bytes());
        out.extend_from_slice(&self.n_tensors.to_le_bytes());
        out.extend_from_slice(&self.n_entries.to_le_bytes());
        out.extend_from_slice(&self.entries);
        out.extend_from_slice(&self.tensors);
        out.resize(out.len().next_multiple_of(ALIGNMENT as usize), 0);
        out
    }

    /// Zeros that follow a tensor of `size` bytes.
    #[must_use]
    pub fn padding(size: u64) -> usize {
        (size.next_multiple_of(ALIGNMENT) - size) as usize
    }

    /// A whole file: the header and the data of the declared tensors, in their order.
    #[must_use]
    pub fn file(&self, tensors: &[&[u8]]) -> Vec<u8> {
        let mut out = self.header();
        for data in tensors {
            out.extend_from_slice(data);
            out.resize(out.len() + Self::padding(data.len() as u64), 0);
        }
        out
    }
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}
