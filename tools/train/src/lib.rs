// SPDX-License-Identifier: MIT
//! What `cloister-train` is made of: vocabularies, data files, runs with checkpoints, model files.
//!
//! The arithmetic is in the crate `training`; here are files, threads and reports.
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod config;
pub mod data;
pub mod export;
pub mod files;
pub mod merges;
pub mod plot;
pub mod pool;
pub mod pretrain;
pub mod progress;
pub mod render;
pub mod tokenizer;
