// SPDX-License-Identifier: MIT
//! Which tensor gets which type: llama.cpp's mixtures (`llama-quant.cpp`), as far as they concern these architectures.

use anyhow::{Result, bail};
use inference_gguf::GgmlType;

/// A mixture such as Q4_K_M: a base type, and better ones for tensors where errors cost most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixture {
    pub name: &'static str,
    base: GgmlType,
    /// For the output matrix, and the embedding where it is also that.
    output: GgmlType,
    /// For `attn_v` and `ffn_down` of some layers.
    better: GgmlType,
    /// `general.file_type`.
    pub file_type: u32,
}

const fn plain(name: &'static str, base: GgmlType, file_type: u32) -> Mixture {
    let output = match base {
        GgmlType::F32 | GgmlType::F16 | GgmlType::BF16 | GgmlType::Q8_0 => base,
        _ => GgmlType::Q6K,
    };
    Mixture { name, base, output, better: base, file_type }
}

const MIXTURES: [Mixture; 16] = [
    plain("F32", GgmlType::F32, 0),
    plain("F16", GgmlType::F16, 1),
    plain("Q4_0", GgmlType::Q4_0, 2),
    plain("Q4_1", GgmlType::Q4_1, 3),
    plain("Q8_0", GgmlType::Q8_0, 7),
    plain("Q5_0", GgmlType::Q5_0, 8),
    plain("Q5_1", GgmlType::Q5_1, 9),
    plain("Q2_K", GgmlType::Q2K, 10),
    plain("Q3_K_S", GgmlType::Q3K, 11),
    plain("Q4_K_S", GgmlType::Q4K, 14),
    Mixture {
        name: "Q4_K_M",
        base: GgmlType::Q4K,
        output: GgmlType::Q6K,
        better: GgmlType::Q6K,
        file_type: 15,
    },
    plain("Q5_K_S", GgmlType::Q5K, 16),
    Mixture {
        name: "Q5_K_M",
        base: GgmlType::Q5K,
        output: GgmlType::Q6K,
        better: GgmlType::Q6K,
        file_type: 17,
    },
    plain("Q6_K", GgmlType::Q6K, 18),
    plain("IQ4_NL", GgmlType::IQ4NL, 25),
    plain("BF16", GgmlType::BF16, 32),
];

impl Mixture {
    /// The mixture called `name`, in any case.
    pub fn named(name: &str) -> Result<Self> {
        match MIXTURES.into_iter().find(|m| m.name.eq_ignore_ascii_case(name)) {
            Some(mixture) => Ok(mixture),
            None => bail!("type `{name}` is not known; these are: {}", MIXTURES.map(|m| m.name).join(", ")),
        }
    }

    /// The type of the matrix called `name` with rows of `width` elements.
    pub fn of(&self, name: &str, width: u64, layers: usize, tied: bool) -> GgmlType {
        let layer = name.strip_prefix("blk.").and_then(|n| n.split('.').next()?.parse::<usize>().ok());
        let wanted = match layer {
            None if name == "output.weight" || (tied && name == "token_embd.weight") => self.output,
            Some(i) if is_better(i, layers) && (name.contains("attn_v") || name.contains("ffn_down")) => {
                self.better
            }
            _ => self.base,
        };
        fallback(wanted, width)
    }
}

/// The first and last eighth of the layers, and every third between.
fn is_better(layer: usize, layers: usize) -> bool {
    layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
}

/// What is used where blocks do not divide the rows.
fn fallback(kind: GgmlType, width: u64) -> GgmlType {
    if kind.row_bytes(width).is_some() {
        return kind;
    }
    let smaller = match kind {
        GgmlType::Q2K | GgmlType::Q3K | GgmlType::IQ4XS => GgmlType::IQ4NL,
        GgmlType::Q4K => GgmlType::Q5_0,
        GgmlType::Q5K => GgmlType::Q5_1,
        GgmlType::Q6K => GgmlType::Q8_0,
        _ => GgmlType::F16,
    };
    if smaller.row_bytes(width).is_some() { smaller } else { GgmlType::F16 }
}
