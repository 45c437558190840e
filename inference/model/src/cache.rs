// SPDX-License-Identifier: MIT
//! Keys and values of one worker's heads. Layout: (layer, head, keys then values, position, element).

use inference_kernels::{CacheKind, Kernels};

/// The key-value cache of one worker.
#[derive(Debug)]
pub(crate) struct Cache<'b> {
    kind: CacheKind,
    context: usize,
    heads: usize,
    key_row: usize,
    value_row: usize,
    bytes: &'b mut [u8],
}

impl<'b> Cache<'b> {
    /// Rows are in bytes; `bytes` holds all layers.
    pub(crate) fn new(
        kind: CacheKind,
        context: usize,
        heads: usize,
        [key_row, value_row]: [usize; 2],
        bytes: &'b mut [u8],
    ) -> Self {
        Self { kind, context, heads, key_row, value_row, bytes }
    }

    pub(crate) fn kind(&self) -> CacheKind {
        self.kind
    }

    /// Start of the keys of a head.
    fn head(&self, layer: usize, head: usize) -> usize {
        (layer * self.heads + head) * self.context * (self.key_row + self.value_row)
    }

    fn values_start(&self, layer: usize, head: usize) -> usize {
        self.head(layer, head) + self.context * self.key_row
    }

    /// Keys of positions `from..to`.
    pub(crate) fn keys(&self, layer: usize, head: usize, from: usize, to: usize) -> &[u8] {
        let start = self.head(layer, head);
        &self.bytes[start + from * self.key_row..start + to * self.key_row]
    }

    /// Values of positions `from..to`.
    pub(crate) fn values(&self, layer: usize, head: usize, from: usize, to: usize) -> &[u8] {
        let start = self.values_start(layer, head);
        &self.bytes[start + from * self.value_row..start + to * self.value_row]
    }

    /// Stores the key and the value of one position of a head of a layer.
    pub(crate) fn store(
        &mut self,
        kernels: Kernels,
        [layer, head, position]: [usize; 3],
        key: &[f32],
        value: &[f32],
    ) {
        let at = self.head(layer, head) + position * self.key_row;
        kernels.store(self.kind, key, &mut self.bytes[at..at + self.key_row]);
        let at = self.values_start(layer, head) + position * self.value_row;
        kernels.store(self.kind, value, &mut self.bytes[at..at + self.value_row]);
    }

    /// Overwrites everything with zeros.
    pub(crate) fn erase(&mut self) {
        self.bytes.fill(0);
    }
}
