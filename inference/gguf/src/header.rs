// SPDX-License-Identifier: MIT
//! The parsed header, and typed access to metadata and tensors.

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::named;
use crate::lookup::{Index, reserve};
use crate::tensor::{check_ranges, read_all};
use crate::{Array, GgufError, TensorInfo, Value};

const MAX_KEY: u64 = 65_535;
/// Key length, one-byte key, type, one-byte value.
const LEAST_ENTRY: u64 = 8 + 1 + 4 + 1;
const DEFAULT_ALIGNMENT: u64 = 32;

/// A metadata entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub key: &'a str,
    pub value: Value<'a>,
    /// Type and value as they stand in the file, for copying an entry to another file.
    pub raw: &'a [u8],
}

/// A parsed GGUF file, or the header of one. It borrows the file's bytes.
#[derive(Clone, Debug)]
pub struct Gguf<'a> {
    bytes: &'a [u8],
    version: u32,
    alignment: u64,
    entries: Vec<Entry<'a>>,
    keys: Index,
    tensors: Vec<TensorInfo<'a>>,
    names: Index,
    data: u64,
    required: u64,
}

impl<'a> Gguf<'a> {
    /// Parses a whole file.
    ///
    /// # Errors
    /// Any [`GgufError`] but `NeedMore`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, GgufError> {
        Self::parse_prefix(bytes, bytes.len() as u64)
    }

    /// Parses the header of a file of `file_len` bytes from its first `bytes`, and checks every tensor's range
    /// against `file_len`. Tensor data need not be there yet: see [`Gguf::tensor_data`].
    ///
    /// # Errors
    /// [`GgufError::NeedMore`] where the header goes on behind `bytes`; any other error is final.
    pub fn parse_prefix(bytes: &'a [u8], file_len: u64) -> Result<Self, GgufError> {
        let mut cursor = Cursor::new(bytes, file_len);
        let version = read_magic(&mut cursor)?;
        let n_tensors = cursor.u64("the tensor count")?;
        let n_entries = cursor.u64("the metadata count")?;
        let entries = read_entries(&mut cursor, bytes, n_entries)?;
        let duplicate = |key: &str| GgufError::DuplicateKey { key: named(key) };
        let keys = Index::new(&entries, "metadata entries", |e| e.key, duplicate)?;
        let alignment = read_alignment(&entries, &keys)?;
        let tensors = read_all(&mut cursor, n_tensors)?;
        let duplicate = |tensor: &str| GgufError::DuplicateTensor { tensor: named(tensor) };
        let names = Index::new(&tensors, "tensors", |t| t.name, duplicate)?;
        let data = (cursor.position() as u64).next_multiple_of(alignment);
        let required = check_ranges(&tensors, data, alignment, cursor.file_len())?;
        Ok(Self { bytes, version, alignment, entries, keys, tensors, names, data, required })
    }

    /// The file's version, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Alignment of tensor data in bytes.
    #[must_use]
    pub fn alignment(&self) -> u64 {
        self.alignment
    }

    /// Bytes of header, metadata and directory, padded: where tensor data starts. The prefix of this length is all
    /// that a tokenizer needs.
    #[must_use]
    pub fn data_offset(&self) -> u64 {
        self.data
    }

    /// Bytes the file must have for its last tensor to be complete.
    #[must_use]
    pub fn required_len(&self) -> u64 {
        self.required
    }

    /// All metadata in file order.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// All tensors in file order.
    #[must_use]
    pub fn tensors(&self) -> &[TensorInfo<'a>] {
        &self.tensors
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.keys.find(&self.entries, key, |e| e.key).map(|at| self.entries[at].value)
    }

    /// The tensor called `name`.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo<'a>> {
        self.names.find(&self.tensors, name, |t| t.name).map(|at| &self.tensors[at])
    }

    /// The bytes of `tensor`, a tensor of this file.
    ///
    /// # Errors
    /// `NeedMore` where only a prefix of the file was given and it ends before the tensor does.
    pub fn tensor_data(&self, tensor: &TensorInfo<'_>) -> Result<&'a [u8], GgufError> {
        let start = self.data.saturating_add(tensor.offset);
        let end = start.saturating_add(tensor.size);
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let found = range.and_then(|(start, end)| self.bytes.get(start..end));
        found.ok_or(GgufError::NeedMore { at_least: end })
    }

    /// An integer of any width that fits into `u32`, or `None` where the key is absent.
    ///
    /// # Errors
    /// `WrongType` for anything else.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, GgufError> {
        self.typed(key, "an integer of 32 bits", |value| match value {
            Value::Integer(value) => u32::try_from(value).ok(),
            _ => None,
        })
    }

    /// As [`Gguf::u32`], for 64 bits.
    ///
    /// # Errors
    /// `WrongType` for anything else.
    pub fn u64(&self, key: &str) -> Result<Option<u64>, GgufError> {
        self.typed(key, "an integer of 64 bits", |value| match value {
            Value::Integer(value) => u64::try_from(value).ok(),
            _ => None,
        })
    }

    /// A floating-point number, or `None` where the key is absent.
    ///
    /// # Errors
    /// `WrongType` for anything else, and for NaN and infinities.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, GgufError> {
        self.typed(key, "a finite floating-point number", |value| match value {
            Value::Real(value) if (value as f32).is_finite() => Some(value as f32),
            _ => None,
        })
    }

    /// A boolean, or `None` where the key is absent.
    ///
    /// # Errors
    /// `WrongType` for anything else.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, GgufError> {
        self.typed(key, "a boolean", |value| match value {
            Value::Bool(value) => Some(value),
            _ => None,
        })
    }

    /// A string, or `None` where the key is absent.
    ///
    /// # Errors
    /// `WrongType` for anything else, and for a string that is not UTF-8.
    pub fn str(&self, key: &str) -> Result<Option<&'a str>, GgufError> {
        self.typed(key, "a UTF-8 string", |value| match value {
            Value::String(bytes) => core::str::from_utf8(bytes).ok(),
            _ => None,
        })
    }

    /// An array, or `None` where the key is absent.
    ///
    /// # Errors
    /// `WrongType` for anything else.
    pub fn array(&self, key: &str) -> Result<Option<Array<'a>>, GgufError> {
        self.typed(key, "an array", |value| match value {
            Value::Array(array) => Some(array),
            _ => None,
        })
    }

    /// An array of strings, or `None` where the key is absent.
    ///
    /// # Errors
    /// `WrongType` for anything else.
    pub fn strings(&self, key: &str) -> Result<Option<crate::Strings<'a>>, GgufError> {
        self.typed(key, "an array of strings", |value| match value {
            Value::Array(array) => array.strings(),
            _ => None,
        })
    }

    /// Turns an absent `key` into an error: `gguf.require(key, gguf.u32(key))`.
    ///
    /// # Errors
    /// `MissingKey`, or the error that was handed in.
    pub fn require<T>(&self, key: &str, found: Result<Option<T>, GgufError>) -> Result<T, GgufError> {
        found?.ok_or_else(|| GgufError::MissingKey { key: named(key) })
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &'static str,
        convert: impl Fn(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        convert(value).map(Some).ok_or_else(|| GgufError::WrongType { key: named(key), expected })
    }
}

fn read_magic(cursor: &mut Cursor<'_>) -> Result<u32, GgufError> {
    if cursor.take(4, "the magic number")? != b"GGUF" {
        return Err(GgufError::NotGguf);
    }
    match cursor.u32("the version")? {
        version @ 2..=3 => Ok(version),
        version => Err(GgufError::UnsupportedVersion { version }),
    }
}

fn read_entries<'a>(
    cursor: &mut Cursor<'a>,
    bytes: &'a [u8],
    count: u64,
) -> Result<Vec<Entry<'a>>, GgufError> {
    if count > cursor.remaining() / LEAST_ENTRY {
        return Err(GgufError::ImpossibleCount { what: "metadata entries", count });
    }
    let mut entries = reserve(count, "metadata entries")?;
    for index in 0..count {
        let key = cursor.name(MAX_KEY, "metadata entry", index)?;
        let start = cursor.position();
        let value = Value::read(cursor, key)?;
        entries.push(Entry { key, value, raw: &bytes[start..cursor.position()] });
    }
    Ok(entries)
}

fn read_alignment(entries: &[Entry<'_>], keys: &Index) -> Result<u64, GgufError> {
    const KEY: &str = "general.alignment";
    let Some(at) = keys.find(entries, KEY, |e| e.key) else { return Ok(DEFAULT_ALIGNMENT) };
    let Value::Integer(value) = entries[at].value else {
        return Err(GgufError::WrongType { key: named(KEY), expected: "an integer" });
    };
    let value = u64::try_from(value).unwrap_or(u64::MAX);
    let fits = value.is_power_of_two() && (8..=1 << 20).contains(&value);
    if fits { Ok(value) } else { Err(GgufError::BadAlignment { value }) }
}
