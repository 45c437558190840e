// SPDX-License-Identifier: MIT
//! Text to vectors: what an embedding must offer, and the labelled fallback that needs no model.
//!
//! One design rule: a vector carries its embedding's label, and vectors of two embeddings never meet in one index.
use core::fmt;

use crate::index::{for_each_token, token_hash};

/// An embedding: text to a vector of length one.
pub trait Embedder {
    /// Names model and precision ("all-MiniLM-L6-v2 F16"); shown to people, and stored with each vector as its hash.
    fn label(&self) -> &str;

    /// Values per vector.
    fn dims(&self) -> usize;

    /// Embeds a text into `out`, which holds [`dims`](Self::dims) values; too long a text is cut as the model does.
    ///
    /// # Errors
    /// [`EmbedError`]; `out` is then unspecified.
    fn embed(&mut self, text: &str, out: &mut [f32]) -> Result<(), EmbedError>;

    /// False if it finds shared words only: then a hybrid search goes by BM25, which does that better.
    fn finds_meaning(&self) -> bool {
        true
    }

    /// The hash under which vectors of this embedding are stored.
    fn id(&self) -> u64 {
        token_hash(self.label().as_bytes())
    }
}

/// Why a text could not be embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedError {
    /// The model's computation failed, or its server is restarting: try again.
    Failed,
    /// `out` has another length than the embedding.
    WrongDimensions,
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed => f.write_str("the embedding model failed; try again"),
            Self::WrongDimensions => f.write_str("the buffer's length is not the embedding's"),
        }
    }
}

impl core::error::Error for EmbedError {}

/// The fallback: each word is hashed (FNV-1a) to a fixed random direction; a text is the mean of its words, normalised.
///
/// It finds shared words, not meaning. Its label says so, wherever a label is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct HashEmbedder;

impl HashEmbedder {
    /// Values per vector, as in MiniLM.
    pub const DIMS: usize = 384;
    /// Shown instead of a model's name.
    pub const LABEL: &str = "hash fallback (FNV-1a, words only)";
}

/// Adds the direction that a word's hash stands for: one sign per dimension (SplitMix64).
fn add_direction(hash: u64, out: &mut [f32]) {
    let mut state = hash;
    for chunk in out.chunks_mut(64) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        for value in chunk {
            *value += if bits & 1 == 1 { 1.0 } else { -1.0 };
            bits >>= 1;
        }
    }
}

/// Scales to length one; zeros stay zeros.
pub fn normalize(vector: &mut [f32]) {
    let norm = libm::sqrtf(vector.iter().map(|value| value * value).sum());
    if norm > 0.0 {
        vector.iter_mut().for_each(|value| *value /= norm);
    }
}

impl Embedder for HashEmbedder {
    fn label(&self) -> &str {
        Self::LABEL
    }

    fn dims(&self) -> usize {
        Self::DIMS
    }

    fn finds_meaning(&self) -> bool {
        false
    }

    fn embed(&mut self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        if out.len() != Self::DIMS {
            return Err(EmbedError::WrongDimensions);
        }
        out.fill(0.0);
        for_each_token(text, |token| add_direction(token_hash(token.as_bytes()), out));
        normalize(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        let (mut x, mut y) = ([0.0; 384], [0.0; 384]);
        HashEmbedder.embed(a, &mut x).expect("384 values");
        HashEmbedder.embed(b, &mut y).expect("384 values");
        x.iter().zip(y).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn shared_words_are_close_and_others_are_not() {
        assert!((cosine("the disk is full", "The disk is FULL!") - 1.0).abs() < 1e-5);
        assert!(cosine("the disk is full", "a full disk") > 0.5);
        assert!(cosine("the disk is full", "kernel panic").abs() < 0.2);
        assert_eq!(cosine("", "anything"), 0.0);
    }

    #[test]
    fn the_buffer_must_fit() {
        assert_eq!(HashEmbedder.embed("x", &mut [0.0; 3]), Err(EmbedError::WrongDimensions));
    }
}
