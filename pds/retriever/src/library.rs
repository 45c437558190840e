// SPDX-License-Identifier: MIT
//! How much is kept: limits that follow from the memory there is.

use retrieval::memory::{Config, passages_for};
use retrieval::store::Options;

/// Most bytes of a document; a larger one is named and passed over.
pub const LARGEST_DOCUMENT: usize = 512 << 10;
/// Most files and folders below `/docs`.
pub const MOST_FILES: usize = 2_000;
/// Sectors of the store's largest frame.
pub const FRAME_SECTORS: u32 = 64;
const MOST_EPISODES: usize = 2_000;
const MOST_FACTS: usize = 1_000;

/// Limits for a heap of `heap` bytes; a model that `finds_meaning` takes
/// long for a text: it embeds one after the other, when nothing else is to do.
pub fn config(heap: usize, finds_meaning: bool, store_id: u64) -> Config {
    let max_passages = passages_for(heap);
    let max_records = 3 * max_passages + 2 * MOST_EPISODES + MOST_FACTS + MOST_FILES;
    Config {
        store: Options { max_records, max_frame_sectors: FRAME_SECTORS, store_id, ..Options::default() },
        max_passages,
        max_episodes: MOST_EPISODES,
        max_facts: MOST_FACTS,
        exact: false,
        step: if finds_meaning { 1 } else { 8 },
        embed_later: finds_meaning,
        ..Config::default()
    }
}
