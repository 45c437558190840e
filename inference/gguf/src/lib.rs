// SPDX-License-Identifier: MIT
//! Zero-copy reader, and a small writer, for GGUF files of versions 2 and 3.
//!
//! The one rule: **a file is hostile until every number in it was checked**. [`Gguf::parse`] walks the header once,
//! compares each count with the bytes that are left before it reserves anything, and refuses whatever could make a
//! later access go wrong; after it returned, every accessor is total. Nothing of the file is copied: keys, strings,
//! arrays and tensors are slices of the caller's bytes.
//!
//! ```text
//! magic "GGUF" | version u32 | tensor count u64 | metadata count u64
//! metadata:  key, type u32, value        (a string is length u64 + bytes; an array is type u32, count u64, items)
//! tensors:   name, dimensions u32, extents u64 x dimensions, type u32, offset u64
//! padding to general.alignment (32 unless said otherwise), then tensor data at its offsets
//! ```
//!
//! Limits: little-endian files; names of at most 64 bytes, keys of at most 65,535; one to four dimensions; arrays
//! of arrays are refused (no model uses them, and they are how a parser's stack is attacked).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cursor;
mod error;
mod header;
mod lookup;
mod tensor;
mod types;
mod value;
mod writer;

pub use error::GgufError;
pub use header::{Entry, Gguf};
pub use tensor::TensorInfo;
pub use types::GgmlType;
pub use value::{Array, Integers, Reals, Strings, Value, ValueType};
pub use writer::Writer;

#[cfg(test)]
mod tests;
