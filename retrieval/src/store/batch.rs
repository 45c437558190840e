// SPDX-License-Identifier: MIT
//! A batch of changes that becomes one frame: all of it survives, or none.
use alloc::vec::Vec;
use zerocopy::IntoBytes;

use super::error::StoreError;
use super::layout::{Key, RECORD_ALIGN, RecordHeader, record_bytes};

/// Encoded records, in order. Later ones win over earlier ones with the same key.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(super) payload: Vec<u8>,
    pub(super) records: u32,
    pub(super) puts: u32,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that the records take in a frame; compare with [`Store::batch_limit`](super::Store::batch_limit).
    pub fn bytes(&self) -> usize {
        self.payload.len()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records as usize
    }

    /// True if there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Removes all records, keeping the memory.
    pub fn clear(&mut self) {
        self.payload.clear();
        (self.records, self.puts) = (0, 0);
    }

    /// Adds or replaces a record.
    ///
    /// # Errors
    /// [`StoreError::OutOfMemory`]; the batch is unchanged.
    pub fn put(&mut self, key: Key, body: &[u8]) -> Result<(), StoreError> {
        self.push(key, Some(body))?;
        self.puts += 1;
        Ok(())
    }

    /// Deletes a record; one that does not exist is no error.
    ///
    /// # Errors
    /// [`StoreError::OutOfMemory`]; the batch is unchanged.
    pub fn delete(&mut self, key: Key) -> Result<(), StoreError> {
        self.push(key, None)
    }

    fn push(&mut self, key: Key, body: Option<&[u8]>) -> Result<(), StoreError> {
        let data = body.unwrap_or(&[]);
        if u32::try_from(data.len()).is_err() {
            return Err(StoreError::BatchTooLarge { bytes: data.len(), limit: u32::MAX as usize });
        }
        self.payload.try_reserve(record_bytes(data.len())).map_err(|_| StoreError::OutOfMemory)?;
        self.payload.extend_from_slice(RecordHeader::new(key, body).as_bytes());
        self.payload.extend_from_slice(data);
        self.payload.resize(self.payload.len().next_multiple_of(RECORD_ALIGN), 0);
        self.records += 1;
        Ok(())
    }
}
