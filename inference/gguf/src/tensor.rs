// SPDX-License-Identifier: MIT
//! The tensor directory: shapes, types and byte ranges, checked against each other and the file's end.

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::named;
use crate::lookup::reserve;
use crate::{GgmlType, GgufError};

/// Longest tensor name, as in ggml (`GGML_MAX_NAME`).
const MAX_NAME: u64 = 64;
/// Name length, one-byte name, dimensions, one extent, type, offset.
const LEAST_INFO: u64 = 8 + 1 + 4 + 8 + 4 + 8;

/// One tensor: where it is and how it is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo<'a> {
    pub name: &'a str,
    /// Extents in GGUF order: `dims[0]` is the length of a row; unused ones are 1.
    pub dims: [u64; 4],
    pub n_dims: u32,
    pub kind: GgmlType,
    /// First byte, relative to the start of the tensor data.
    pub offset: u64,
    /// Size in bytes.
    pub size: u64,
}

impl<'a> TensorInfo<'a> {
    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims.iter().product()
    }

    /// Number of rows of `dims[0]` elements.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.dims[1..].iter().product()
    }

    fn read(cursor: &mut Cursor<'a>, index: u64) -> Result<Self, GgufError> {
        let name = cursor.name(MAX_NAME, "tensor", index)?;
        let n_dims = cursor.u32("a tensor's dimensions")?;
        if !(1..=4).contains(&n_dims) {
            return Err(GgufError::BadShape { tensor: named(name) });
        }
        let mut dims = [1; 4];
        for extent in &mut dims[..n_dims as usize] {
            *extent = cursor.u64("a tensor's extent")?;
        }
        let kind = GgmlType::read(cursor, name)?;
        let offset = cursor.u64("a tensor's offset")?;
        let size = size_of(name, &dims, kind)?;
        Ok(Self { name, dims, n_dims, kind, offset, size })
    }
}

/// Bytes of a tensor, with every product checked.
fn size_of(name: &str, dims: &[u64; 4], kind: GgmlType) -> Result<u64, GgufError> {
    let shape = || GgufError::BadShape { tensor: named(name) };
    if !dims[0].is_multiple_of(kind.block_len() as u64) {
        let block = kind.block_len() as u32;
        return Err(GgufError::PartialBlock { tensor: named(name), row: dims[0], block });
    }
    let row = kind.row_bytes(dims[0]).filter(|_| dims.iter().all(|d| *d > 0)).ok_or_else(shape)?;
    let size = dims[1..].iter().try_fold(row, |size, extent| size.checked_mul(*extent));
    let elements = dims.iter().try_fold(1u64, |n, extent| n.checked_mul(*extent));
    size.filter(|s| *s <= i64::MAX as u64 && elements.is_some()).ok_or_else(shape)
}

/// Reads the directory of `count` tensors.
pub(crate) fn read_all<'a>(cursor: &mut Cursor<'a>, count: u64) -> Result<Vec<TensorInfo<'a>>, GgufError> {
    if count > cursor.remaining() / LEAST_INFO {
        return Err(GgufError::ImpossibleCount { what: "tensors", count });
    }
    let mut tensors = reserve(count, "tensors")?;
    for index in 0..count {
        tensors.push(TensorInfo::read(cursor, index)?);
    }
    Ok(tensors)
}

/// Checks alignment, ends and overlaps; the length the file must have is the result.
pub(crate) fn check_ranges(
    tensors: &[TensorInfo<'_>],
    data: u64,
    alignment: u64,
    file_len: u64,
) -> Result<u64, GgufError> {
    let mut required = data;
    for tensor in tensors {
        if !tensor.offset.is_multiple_of(alignment) {
            return Err(GgufError::Misaligned { tensor: named(tensor.name), offset: tensor.offset });
        }
        let end = data.checked_add(tensor.offset).and_then(|start| start.checked_add(tensor.size));
        let end = end.unwrap_or(u64::MAX);
        if end > file_len {
            return Err(GgufError::PastEnd { tensor: named(tensor.name), end, file_len });
        }
        required = required.max(end);
    }
    check_overlap(tensors).map(|()| required)
}

/// Sorts by offset, so that only neighbours need comparing. Ends were checked: the sums cannot overflow.
fn check_overlap(tensors: &[TensorInfo<'_>]) -> Result<(), GgufError> {
    let mut order: Vec<&TensorInfo<'_>> = reserve(tensors.len() as u64, "tensors")?;
    order.extend(tensors.iter());
    order.sort_unstable_by_key(|tensor| tensor.offset);
    let clash = order.windows(2).find(|pair| pair[0].offset + pair[0].size > pair[1].offset);
    match clash {
        Some(pair) => Err(GgufError::Overlap { first: named(pair[0].name), second: named(pair[1].name) }),
        None => Ok(()),
    }
}
