// SPDX-License-Identifier: MIT
//! How architectures differ, as data: one line per architecture.

use inference_kernels::RopeLayout;

/// Which norm is used throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    Rms,
    Layer,
}

/// What the feed-forward network does between its matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activate {
    /// `silu(gate) * up`.
    SiluGate,
    /// `gelu(gate) * up`.
    GeluGate,
    /// `gelu(up)`, no gate.
    Gelu,
}

/// Where norms stand around attention and feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// `x += f(norm(x))`.
    Pre,
    /// `x += norm(f(norm(x)))`.
    PreAndPost,
    /// `x += attention(norm(x)) + network(norm(x))`, the same norm.
    Parallel,
    /// `x = norm(x + f(x))`.
    Post,
}

/// Which layers see only a window of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    None,
    /// Layers 0, 2, 4 …
    Even,
    /// All but every sixth.
    FiveOfSix,
}

/// What sets an architecture apart. `true` flags are what the name says.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub name: &'static str,
    pub norm: NormKind,
    /// `None`: no rotation.
    pub rope: Option<RopeLayout>,
    pub activate: Activate,
    pub residual: Residual,
    pub windows: Windows,
    /// Q, K, V and their biases are one tensor.
    pub fused_qkv: bool,
    /// The first half of `ffn_up` is the gate.
    pub fused_gate: bool,
    /// Q, K and V must have biases.
    pub qkv_bias: bool,
    /// Heads of Q and K are normalised before rotation.
    pub qk_norm: bool,
    /// Embeddings are multiplied by the root of their length.
    pub scaled_embedding: bool,
    /// Every token sees every other; there is no output matrix.
    pub encoder: bool,
}

const LLAMA: Family = Family {
    name: "llama",
    norm: NormKind::Rms,
    rope: Some(RopeLayout::Adjacent),
    activate: Activate::SiluGate,
    residual: Residual::Pre,
    windows: Windows::None,
    fused_qkv: false,
    fused_gate: false,
    qkv_bias: false,
    qk_norm: false,
    scaled_embedding: false,
    encoder: false,
};
const NEOX: Option<RopeLayout> = Some(RopeLayout::Halves);
const GEMMA: Family =
    Family { name: "gemma", rope: NEOX, activate: Activate::GeluGate, scaled_embedding: true, ..LLAMA };
const PHI2: Family = Family {
    name: "phi2",
    norm: NormKind::Layer,
    rope: NEOX,
    activate: Activate::Gelu,
    residual: Residual::Parallel,
    fused_qkv: true,
    ..LLAMA
};
const BERT: Family = Family {
    name: "bert",
    norm: NormKind::Layer,
    rope: None,
    activate: Activate::Gelu,
    residual: Residual::Post,
    qkv_bias: true,
    encoder: true,
    ..LLAMA
};

/// Every architecture.
const FAMILIES: [Family; 10] = [
    LLAMA,
    Family { name: "mistral", ..LLAMA },
    Family { name: "qwen2", rope: NEOX, qkv_bias: true, ..LLAMA },
    Family { name: "qwen3", rope: NEOX, qk_norm: true, ..LLAMA },
    PHI2,
    Family { name: "phi3", rope: NEOX, fused_qkv: true, fused_gate: true, ..LLAMA },
    GEMMA,
    Family { name: "gemma2", residual: Residual::PreAndPost, windows: Windows::Even, ..GEMMA },
    Family {
        name: "gemma3",
        residual: Residual::PreAndPost,
        windows: Windows::FiveOfSix,
        qk_norm: true,
        ..GEMMA
    },
    BERT,
];

/// Their names, for messages.
pub(crate) const NAMES: &str = "llama, mistral, qwen2, qwen3, phi2, phi3, gemma, gemma2, gemma3, bert";

impl Family {
    /// The architecture called `name` in `general.architecture`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// Whether layer `layer` sees only the window.
    #[must_use]
    pub fn is_windowed(&self, layer: usize) -> bool {
        match self.windows {
            Windows::None => false,
            Windows::Even => layer.is_multiple_of(2),
            Windows::FiveOfSix => layer % 6 < 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_message_is_found_and_none_is_left_out() {
        assert!(NAMES.split(", ").all(|name| Family::named(name).is_some()));
        assert_eq!(NAMES.split(", ").count(), FAMILIES.len());
    }
}
