// SPDX-License-Identifier: MIT
//! What changed: documents and chunks are known by their content, so unchanged ones keep their vectors.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use sha2::{Digest, Sha256};

use super::Chunk;

/// The first 16 bytes of SHA-256 over the parts, each preceded by its length.
pub fn content_hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    core::array::from_fn(|index| digest[index])
}

/// What makes the stored passages of a document equal to its new chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// (passage id, chunk): the text is unchanged, its place may have moved.
    pub keep: Vec<(u64, usize)>,
    /// Chunks that are new.
    pub add: Vec<usize>,
    /// Passages whose text is gone.
    pub remove: Vec<u64>,
}

/// Compares stored passages (id, hash) with a document's new chunks.
pub fn plan(stored: &[(u64, [u8; 16])], chunks: &[Chunk]) -> Plan {
    let mut by_hash: BTreeMap<[u8; 16], Vec<u64>> = BTreeMap::new();
    for (id, hash) in stored.iter().rev() {
        by_hash.entry(*hash).or_default().push(*id);
    }
    let mut plan = Plan::default();
    for (index, chunk) in chunks.iter().enumerate() {
        match by_hash.get_mut(&chunk.hash).and_then(Vec::pop) {
            Some(id) => plan.keep.push((id, index)),
            None => plan.add.push(index),
        }
    }
    plan.remove = by_hash.into_values().flatten().collect();
    plan.remove.sort_unstable();
    plan
}
