// SPDX-License-Identifier: MIT
//! An adapter as a file, in llama.cpp's form.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use inference_gguf::{GgmlType, Writer};
use training::Layout;

/// First bytes of the SHA-256 of the model that the adapter was made for.
const BASE: &str = "cloister.base.sha256_first_8";

/// Bytes of a file with these matrices, at most.
pub(crate) fn size(layout: &Layout) -> usize {
    4 * layout.len() + 1024 + 128 * layout.slots().len()
}

/// The file.
pub(crate) fn adapter(layout: &Layout, parameters: &[f32], alpha: f32, base: &[u8; 8]) -> Vec<u8> {
    let base: String = base.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").str("general.type", "adapter");
    writer.str("adapter.type", "lora").f32("adapter.lora.alpha", alpha).str(BASE, &base);
    for slot in layout.slots() {
        writer.tensor(&slot.name, &[slot.cols as u64, slot.rows as u64], GgmlType::F32);
    }
    let mut out = writer.header();
    for slot in layout.slots() {
        parameters[slot.range()].iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
        out.resize(out.len() + Writer::padding(4 * slot.range().len() as u64), 0);
    }
    out
}
