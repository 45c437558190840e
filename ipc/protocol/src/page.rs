//! Prefilled regions: 4 bytes of length, then a value in postcard's encoding.

use serde::{Serialize, de::DeserializeOwned};

/// Reads a region; `None` when it holds nothing that decodes.
pub(crate) fn decode<T: DeserializeOwned>(region: &[u8]) -> Option<T> {
    let length = u32::from_le_bytes(*region.first_chunk()?) as usize;
    postcard::from_bytes(region.get(4..)?.get(..length)?).ok()
}

/// Writes a region and gives the bytes used; `None` when they do not fit.
pub(crate) fn encode(value: &impl Serialize, region: &mut [u8]) -> Option<usize> {
    let (length, rest) = region.split_first_chunk_mut::<4>()?;
    let used = postcard::to_slice(value, rest).ok()?.len();
    *length = (used as u32).to_le_bytes();
    Some(used + 4)
}
