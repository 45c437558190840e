// SPDX-License-Identifier: MIT
//! Metadata values: scalars by value, strings and arrays as slices of the file.

use crate::cursor::Cursor;
use crate::error::named;
use crate::{GgmlType, GgufError};

/// The type numbers of metadata values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ValueType {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl ValueType {
    const ALL: [Self; 13] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::F32,
        Self::Bool,
        Self::String,
        Self::Array,
        Self::U64,
        Self::I64,
        Self::F64,
    ];

    /// Bytes of one value; 0 where the value says its own length.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::String | Self::Array => 0,
        }
    }

    /// The name used in GGUF's specification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "bool",
            Self::String => "str",
            Self::Array => "arr",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    fn read(cursor: &mut Cursor<'_>, key: &str) -> Result<Self, GgufError> {
        let id = cursor.u32("a value's type")?;
        let found = Self::ALL.get(id as usize).copied();
        found.ok_or_else(|| GgufError::UnknownValueType { key: named(key), id })
    }
}

/// A metadata value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Any of the integer types, widened.
    Integer(i128),
    /// `f32` or `f64`; a 32-bit value is exact.
    Real(f64),
    Bool(bool),
    /// Bytes that should be, but were not checked to be, UTF-8.
    String(&'a [u8]),
    Array(Array<'a>),
}

impl<'a> Value<'a> {
    /// Reads the type and the value of `key`.
    pub(crate) fn read(cursor: &mut Cursor<'a>, key: &str) -> Result<Self, GgufError> {
        match ValueType::read(cursor, key)? {
            ValueType::String => Ok(Self::String(cursor.string("a metadata string")?)),
            ValueType::Array => Ok(Self::Array(Array::read(cursor, key)?)),
            kind => Self::scalar(kind, cursor.take(kind.size() as u64, "a metadata value")?)
                .ok_or_else(|| GgufError::BadBool { key: named(key) }),
        }
    }

    /// The scalar in `bytes`, which has the type's size. `None` for a bad boolean.
    fn scalar(kind: ValueType, bytes: &[u8]) -> Option<Self> {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let raw = u64::from_le_bytes(wide);
        Some(match kind {
            ValueType::I8 => Self::Integer(i128::from(raw as i8)),
            ValueType::I16 => Self::Integer(i128::from(raw as i16)),
            ValueType::I32 => Self::Integer(i128::from(raw as i32)),
            ValueType::I64 => Self::Integer(i128::from(raw as i64)),
            ValueType::F32 => Self::Real(f64::from(f32::from_bits(raw as u32))),
            ValueType::F64 => Self::Real(f64::from_bits(raw)),
            ValueType::Bool if raw > 1 => return None,
            ValueType::Bool => Self::Bool(raw == 1),
            _ => Self::Integer(i128::from(raw)),
        })
    }
}

/// An array of scalars or strings; its bytes are a slice of the file.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    kind: ValueType,
    len: usize,
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    fn read(cursor: &mut Cursor<'a>, key: &str) -> Result<Self, GgufError> {
        let kind = ValueType::read(cursor, key)?;
        let count = cursor.u64("an array's length")?;
        let least = if kind == ValueType::String { 8 } else { kind.size() as u64 };
        let bytes = match kind {
            ValueType::Array => return Err(GgufError::NestedArray { key: named(key) }),
            _ if count > cursor.remaining() / least => {
                return Err(GgufError::ImpossibleCount { what: "array items", count });
            }
            ValueType::String => Self::walk_strings(cursor, count)?,
            _ => cursor.take(count * least, "an array")?,
        };
        if kind == ValueType::Bool && bytes.iter().any(|b| *b > 1) {
            return Err(GgufError::BadBool { key: named(key) });
        }
        Ok(Self { kind, len: count as usize, bytes })
    }

    /// The bytes of `count` strings, each checked to lie inside.
    fn walk_strings(cursor: &mut Cursor<'a>, count: u64) -> Result<&'a [u8], GgufError> {
        let mut ahead = cursor.fork();
        for _ in 0..count {
            ahead.string("a string array")?;
        }
        cursor.take((ahead.position() - cursor.position()) as u64, "a string array")
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Type of the items.
    #[must_use]
    pub fn kind(&self) -> ValueType {
        self.kind
    }

    /// The items' bytes as they stand in the file.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.bytes
    }

    /// The strings, or `None` for an array of something else.
    #[must_use]
    pub fn strings(&self) -> Option<Strings<'a>> {
        (self.kind == ValueType::String).then_some(Strings { bytes: self.bytes, left: self.len })
    }

    /// The integers, widened, or `None` for an array of something else.
    #[must_use]
    pub fn integers(&self) -> Option<Integers<'a>> {
        let scalar = self.kind.size() > 0;
        let real = matches!(self.kind, ValueType::F32 | ValueType::F64 | ValueType::Bool);
        (scalar && !real).then_some(Integers { kind: self.kind, bytes: self.bytes })
    }

    /// The floating-point numbers (`f64` rounded to `f32`), or `None` for an array of something else.
    #[must_use]
    pub fn reals(&self) -> Option<Reals<'a>> {
        let real = matches!(self.kind, ValueType::F32 | ValueType::F64);
        real.then_some(Reals { kind: self.kind, bytes: self.bytes })
    }
}

/// Iterator over the strings of an array: slices of the file, not checked to be UTF-8.
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (len, rest) = self.bytes.split_first_chunk::<8>()?;
        let (string, rest) = rest.split_at_checked(u64::from_le_bytes(*len) as usize)?;
        self.bytes = rest;
        Some(string)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Strings<'_> {}

/// Iterator over the integers of an array.
#[derive(Clone, Debug)]
pub struct Integers<'a> {
    kind: ValueType,
    bytes: &'a [u8],
}

impl Iterator for Integers<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let (item, rest) = self.bytes.split_at_checked(self.kind.size())?;
        self.bytes = rest;
        match Value::scalar(self.kind, (!item.is_empty()).then_some(item)?)? {
            Value::Integer(value) => Some(i64::try_from(value).unwrap_or(i64::MAX)),
            _ => None,
        }
    }
}

/// Iterator over the floating-point numbers of an array.
#[derive(Clone, Debug)]
pub struct Reals<'a> {
    kind: ValueType,
    bytes: &'a [u8],
}

impl Iterator for Reals<'_> {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let (item, rest) = self.bytes.split_at_checked(self.kind.size())?;
        self.bytes = rest;
        match Value::scalar(self.kind, (!item.is_empty()).then_some(item)?)? {
            Value::Real(value) => Some(value as f32),
            _ => None,
        }
    }
}

impl GgmlType {
    /// Reads a tensor's type number.
    pub(crate) fn read(cursor: &mut Cursor<'_>, tensor: &str) -> Result<Self, GgufError> {
        let id = cursor.u32("a tensor's type")?;
        Self::from_id(id).ok_or_else(|| GgufError::UnsupportedType { tensor: named(tensor), id })
    }
}
