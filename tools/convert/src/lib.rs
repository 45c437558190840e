// SPDX-License-Identifier: MIT
//! Published weights to GGUF: BERT-like embedding models from safetensors.
//!
//! One design rule: a tensor that is not asked for is left out, one that is asked for and missing is an error by name.
//! Limits: one architecture (`bert`: all-MiniLM-L6-v2 and its kin), types F32, F16 and Q8_0.
#![forbid(unsafe_code)]

pub mod bert;
pub mod encode;
pub mod files;
pub mod safetensors;
