// SPDX-License-Identifier: MIT
//! A bounds-checked reader over the start of a file whose whole length is known.

use crate::GgufError;

/// Position in `bytes`, the first part of a file of `file_len` bytes.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    file_len: u64,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], file_len: u64) -> Self {
        Self { bytes, file_len: file_len.max(bytes.len() as u64), at: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// A second reader at the same position.
    pub(crate) fn fork(&self) -> Self {
        Self { bytes: self.bytes, file_len: self.file_len, at: self.at }
    }

    pub(crate) fn file_len(&self) -> u64 {
        self.file_len
    }

    /// Bytes of the file (not of the window) that lie ahead.
    pub(crate) fn remaining(&self) -> u64 {
        self.file_len - self.at as u64
    }

    /// The next `len` bytes. `what` names them in the error.
    pub(crate) fn take(&mut self, len: u64, what: &'static str) -> Result<&'a [u8], GgufError> {
        let needed = (self.at as u64).saturating_add(len);
        if needed > self.file_len {
            return Err(GgufError::Truncated { what, needed, file_len: self.file_len });
        }
        if needed > self.bytes.len() as u64 {
            return Err(GgufError::NeedMore { at_least: needed });
        }
        let slice = &self.bytes[self.at..needed as usize];
        self.at = needed as usize;
        Ok(slice)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], GgufError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64, what)?);
        Ok(out)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A string: u64 length, then that many bytes.
    pub(crate) fn string(&mut self, what: &'static str) -> Result<&'a [u8], GgufError> {
        let len = self.u64(what)?;
        self.take(len, what)
    }

    /// A non-empty UTF-8 name of at most `max` bytes.
    pub(crate) fn name(&mut self, max: u64, what: &'static str, index: u64) -> Result<&'a str, GgufError> {
        let len = self.u64(what)?;
        if len == 0 || len > max {
            return Err(GgufError::BadName { what, index });
        }
        core::str::from_utf8(self.take(len, what)?).map_err(|_| GgufError::BadName { what, index })
    }
}
