// SPDX-License-Identifier: MIT
//! Which tensor gets which type: llama.cpp's mixtures (`llama-quant.cpp`), as far as they concern these architectures.

use core::fmt;

use inference_gguf::GgmlType;

/// A type that is no mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMixture;

impl fmt::Display for UnknownMixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use one of")?;
        MIXTURES.iter().try_for_each(|mixture| write!(f, " {}", mixture.name))
    }
}

impl core::error::Error for UnknownMixture {}

/// A mixture such as Q4_K_M: a base type, and better ones for tensors where errors cost most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixture {
    pub name: &'static str,
    base: GgmlType,
    /// `general.file_type`.
    pub file_type: u32,
    /// Query heads per head of keys and values.
    group: u64,
}

const fn plain(name: &'static str, base: GgmlType, file_type: u32) -> Mixture {
    Mixture { name, base, file_type, group: 1 }
}

const MIXTURES: [Mixture; 18] = [
    plain("F32", GgmlType::F32, 0),
    plain("F16", GgmlType::F16, 1),
    plain("Q4_0", GgmlType::Q4_0, 2),
    plain("Q4_1", GgmlType::Q4_1, 3),
    plain("Q8_0", GgmlType::Q8_0, 7),
    plain("Q5_0", GgmlType::Q5_0, 8),
    plain("Q5_1", GgmlType::Q5_1, 9),
    plain("Q2_K", GgmlType::Q2K, 10),
    plain("Q3_K_S", GgmlType::Q3K, 11),
    plain("Q3_K_M", GgmlType::Q3K, 12),
    plain("Q4_K_S", GgmlType::Q4K, 14),
    plain("Q4_K_M", GgmlType::Q4K, 15),
    plain("Q5_K_S", GgmlType::Q5K, 16),
    plain("Q5_K_M", GgmlType::Q5K, 17),
    plain("Q6_K", GgmlType::Q6K, 18),
    plain("IQ4_NL", GgmlType::IQ4NL, 25),
    plain("IQ4_XS", GgmlType::IQ4XS, 30),
    plain("BF16", GgmlType::BF16, 32),
];

impl Mixture {
    /// The mixture called `name`, in any case.
    ///
    /// # Errors
    /// [`UnknownMixture`], whose message lists all.
    pub fn named(name: &str) -> Result<Self, UnknownMixture> {
        MIXTURES.into_iter().find(|m| m.name.eq_ignore_ascii_case(name)).ok_or(UnknownMixture)
    }

    /// The same for a model where `group` query heads share keys and values: from four on, values are worth more bits.
    #[must_use]
    pub fn grouped(self, group: u64) -> Self {
        Self { group, ..self }
    }

    /// The type of the matrix called `name` with rows of `width` elements.
    #[must_use]
    pub fn of(&self, name: &str, width: u64, layers: usize, tied: bool) -> GgmlType {
        if self.base.is_float() {
            return self.base;
        }
        let wanted = match name.strip_prefix("blk.").and_then(|name| name.split_once('.')) {
            None if name == "output.weight" || (tied && name == "token_embd.weight") => self.output(),
            Some((layer, part)) => self.within(part, layer.parse().unwrap_or(0), layers),
            None => self.base,
        };
        fallback(wanted, width)
    }

    fn output(&self) -> GgmlType {
        if self.base == GgmlType::Q8_0 { self.base } else { GgmlType::Q6K }
    }

    /// The type of `part` (such as `attn_v.weight`) of a layer.
    fn within(&self, part: &str, layer: usize, layers: usize) -> GgmlType {
        match part {
            "attn_v.weight" | "attn_qkv.weight" => self.values(layer, layers),
            "ffn_down.weight" => self.down(layer, layers),
            "attn_output.weight" if self.name == "Q2_K" => GgmlType::Q3K,
            "attn_output.weight" if self.name == "Q3_K_M" => GgmlType::Q4K,
            _ => self.base,
        }
    }

    fn values(&self, layer: usize, layers: usize) -> GgmlType {
        match self.name {
            "Q2_K" if self.group >= 4 => GgmlType::Q4K,
            "Q2_K" => GgmlType::Q3K,
            "Q3_K_M" if layer < 2 => GgmlType::Q5K,
            "Q3_K_M" => GgmlType::Q4K,
            "IQ4_NL" | "IQ4_XS" if self.group >= 4 => GgmlType::Q5K,
            "Q4_K_M" | "Q5_K_M" if is_better(layer, layers) => GgmlType::Q6K,
            "Q4_K_S" if layer < 4 => GgmlType::Q5K,
            _ => self.base,
        }
    }

    fn down(&self, layer: usize, layers: usize) -> GgmlType {
        match self.name {
            "Q2_K" => GgmlType::Q3K,
            "Q3_K_M" if layer < layers / 16 => GgmlType::Q5K,
            "Q3_K_M" => GgmlType::Q4K,
            "IQ4_NL" | "IQ4_XS" | "Q4_K_S" if layer < layers / 8 => GgmlType::Q5K,
            "Q4_K_M" | "Q5_K_M" if is_better(layer, layers) => GgmlType::Q6K,
            _ => self.base,
        }
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
        GgmlType::IQ4XS => GgmlType::IQ4NL,
        GgmlType::Q2K | GgmlType::Q3K => GgmlType::Q4_0,
        GgmlType::Q4K => GgmlType::Q5_0,
        GgmlType::Q5K => GgmlType::Q5_1,
        GgmlType::Q6K => GgmlType::Q8_0,
        _ => GgmlType::F16,
    };
    if smaller.row_bytes(width).is_some() { smaller } else { GgmlType::F16 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    /// Types of `attn_v`, `ffn_down` and `attn_output` in the three layers of a model that llama.cpp quantised
    /// (rows of 256, two query heads per head of keys), and of its embedding.
    #[test]
    fn mixtures_are_llama_cpps() {
        use GgmlType::{IQ4NL, Q2K, Q3K, Q4_0, Q4K, Q5K, Q6K};
        let cases = [
            ("Q2_K", [Q3K; 3], [Q3K; 3], Q3K, Q2K),
            ("Q3_K_M", [Q5K, Q5K, Q4K], [Q4K; 3], Q4K, Q3K),
            ("Q4_K_S", [Q5K; 3], [Q4K; 3], Q4K, Q4K),
            ("Q4_K_M", [Q4K, Q4K, Q6K], [Q4K, Q4K, Q6K], Q4K, Q4K),
            ("IQ4_NL", [IQ4NL; 3], [IQ4NL; 3], IQ4NL, IQ4NL),
            ("Q4_0", [Q4_0; 3], [Q4_0; 3], Q4_0, Q4_0),
        ];
        for (name, values, down, output, embedding) in cases {
            let mixture = Mixture::named(name).unwrap().grouped(2);
            let of = |part: &str| mixture.of(part, 256, 3, false);
            for i in 0..3 {
                assert_eq!(of(&format!("blk.{i}.attn_v.weight")), values[i], "{name} {i}");
                assert_eq!(of(&format!("blk.{i}.ffn_down.weight")), down[i], "{name} {i}");
                assert_eq!(of(&format!("blk.{i}.attn_output.weight")), output, "{name} {i}");
            }
            assert_eq!((of("token_embd.weight"), of("output.weight")), (embedding, Q6K), "{name}");
        }
    }

    #[test]
    fn rows_that_blocks_do_not_divide_get_smaller_blocks() {
        let of = |name: &str, width| Mixture::named(name).unwrap().of("blk.1.attn_q.weight", width, 30, true);
        assert_eq!(of("Q4_K_M", 576), GgmlType::Q5_0);
        assert_eq!(of("Q5_K_M", 576), GgmlType::Q5_1);
        assert_eq!(of("Q6_K", 576), GgmlType::Q8_0);
        assert_eq!((of("Q2_K", 576), of("IQ4_XS", 576)), (GgmlType::Q4_0, GgmlType::IQ4NL));
        assert_eq!(of("Q4_0", 100), GgmlType::F16);
        assert_eq!(Mixture::named("q4_k_m").unwrap().of("token_embd.weight", 576, 30, true), GgmlType::Q8_0);
        assert!(Mixture::named("Q9").unwrap_err().to_string().contains("Q4_K_M"));
    }
}
